/** What the runtime loads when it needs it: here already, since no clock can tell how long that takes. */

import '../src/runtime/answers/deprecation.js';
import '../src/runtime/extras.js';
import '../src/runtime/flow/refusals.js';
import '../src/runtime/policies/pacing.js';
import '../src/runtime/transport/failures.js';
import '../src/runtime/transport/kept.js';
import '../src/runtime/transport/outgoing.js';
import '../src/runtime/transport/rare.js';
