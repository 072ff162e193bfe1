/** What values are like, as far as answers are checked: a shape is a function that says what is wrong. */

/**
 * Says what is wrong with a value, and where (`/documents/0/id is missing`), never what the value is; undefined where
 * it is as described. Unknown members are always allowed, unknown values of enums and unknown variants unless `strict`.
 */
export type Shape = (value: unknown, at: string, strict: boolean) => string | undefined;
