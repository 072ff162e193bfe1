// What types let pass, and what they refuse: a line without an error below `@ts-expect-error` is an error itself.
import type {
  Child,
  Circle,
  Corner,
  Figure,
  Free,
  Guest,
  GuestInput,
  Level,
  MapModel,
  Node,
  NotedFigure,
  Objects,
  One,
  Pet,
  SameOthers,
  Tree,
  Unsent,
  Visit,
  VisitInput2,
  Zoo,
} from './generated/types.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_T extends true>(): void {}

export function narrows(figure: Figure, pet: Pet, noted: NotedFigure): number {
  switch (figure.kind) {
    case 'round':
    case 'oval':
      return figure.radius;
    case 'square':
    case 'cube':
      return figure.side;
    case 'blob':
      return figure.area;
    case 'corner':
      return 'angle' in figure ? figure.angle : figure.rounding;
    default:
      is<Same<typeof figure, Circle>>(); // what it is in the other union
  }
  // @ts-expect-error no variant is told apart by this
  if (figure.kind === 'triangle') return 1;
  if (noted.sort === 'dog') return noted.tricks ?? noted.note?.length ?? 0;
  return pet.sort === 'kitten' ? (pet.lives ?? 0) : pet.sort === 'dog' ? (pet.tricks ?? 0) : 0;
}

export function staysOpen(zoo: Zoo, later: string, number: number): void {
  const level: Level = later;
  zoo.level = later;
  zoo.code = number;
  zoo.model = later;
  zoo.model = level;
  zoo.mixed = number;
  zoo.half = 1.5;
  is<Same<Zoo['constant'], "it's" | undefined>>();
  // @ts-expect-error null is not allowed everywhere
  zoo.code = null;
  // @ts-expect-error a constant has no other value
  zoo.constant = later;
  // @ts-expect-error a true among the values is no false
  zoo.mixed = false;
  // @ts-expect-error a member that is not there
  zoo.lvel = later;
}

export function kinds(zoo: Zoo): void {
  is<Same<Zoo['pair'], [string, number] | undefined>>();
  is<Same<Zoo['rest'], [string, number?, ...boolean[]] | undefined>>();
  is<Same<Zoo['lists'], (string | null)[][] | undefined>>();
  is<Same<Zoo['nothing_else'], null>>();
  is<Same<Zoo['anything'], unknown>>();
  is<Same<Zoo['file'], string | undefined>>();
  const count: number | undefined = zoo.counts?.['any'];
  zoo.counts = { any: count ?? 1 };
  zoo['@odd key'] = 'text';
  // @ts-expect-error nothing may stand here
  zoo.nothing = 1;
}

export function recursion(tree: Tree, node: Node, one: One): string {
  const deeper: Tree = [tree, ['leaf', [[]]]];
  node.by_name = { a: { next: node, extended: { extra: 'x', next: {} } } };
  const nested: One = [one, true, [1]];
  // @ts-expect-error only texts and lists
  const wrong: Tree = [1];
  return `${deeper.length} ${nested} ${wrong}`;
}

export function parts(objects: Objects, map: MapModel, free: Free, same: SameOthers): void {
  const child: Child = { kind: 'any', toy: 'ball', size: 1 };
  objects.child = child;
  objects.conflict = { size: 'large', kind: 'special' };
  objects.deep = { kind: '', toy: '', inner: { a: '', b: '' } };
  objects.limited = 'low';
  objects.patterns = { id: 'p', 'x-count': 1 };
  map['other'] = { is: 'leaf' };
  const built: MapModel = { id: 'a', size: 1, other: { is: 'leaf' } };
  free['whatever'] = [built];
  same['whatever'] = same.id;
  // @ts-expect-error it has no toy
  objects.child = { kind: 'any' };
  // @ts-expect-error a member without a name has a type of its own
  same['whatever'] = 1;
}

export function sides(visit: Visit): void {
  const input: VisitInput2 = { secret: 's', guests: [{ name: 'n' }], ticket: { price: 1 } };
  const guest: GuestInput = { name: 'n', host: input };
  const seen: Guest = { name: 'n', seen: 'yesterday', host: visit };
  const unsent: Unsent = { id: visit.id };
  // @ts-expect-error the server sets it
  input.id = 'x';
  // @ts-expect-error the server never tells it
  visit.secret = 's';
  // @ts-expect-error nor here
  guest.seen = seen.seen;
  // @ts-expect-error nor where no request holds it
  unsent.secret = '';
}

export const corner: Corner = { angle: 90 };
