/** What the runtime loads when it needs it: here already, since no clock can tell how long that takes. */

import '../src/runtime/answers/deprecation.js';
import '../src/runtime/auth/further.js';
import '../src/runtime/auth/session.js';
import '../src/runtime/balance/balanced.js';
import '../src/runtime/balance/policy.js';
import '../src/runtime/balance/pool.js';
import '../src/runtime/encoding/added.js';
import '../src/runtime/encoding/unknown.js';
import '../src/runtime/extras.js';
import '../src/runtime/flow/refusals.js';
import '../src/runtime/policies/pacing.js';
import '../src/runtime/progress.js';
import '../src/runtime/transport/failures.js';
import '../src/runtime/transport/kept.js';
import '../src/runtime/transport/outgoing.js';
import '../src/runtime/transport/rare.js';
import '../src/runtime/watch/telemetry.js';
