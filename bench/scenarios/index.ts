/** All scenarios, in the order in which they run and stand in the pages. */
import type { Scenario } from '../scenario.ts'
import { badClientsScenario } from './bad-clients.ts'
import { catchup } from './catchup.ts'
import { connected } from './connected.ts'
import { connections } from './connections.ts'
import { consume } from './consume.ts'
import { curve } from './curve.ts'
import { failover } from './failover.ts'
import { filtered } from './filtered.ts'
import { groups } from './groups.ts'
import { micro } from './micro.ts'
import { overload } from './overload.ts'
import { modes } from './modes.ts'
import { saturation } from './saturation.ts'
import { send } from './send.ts'
import { sizes } from './sizes.ts'
import { slowFollower } from './slow-follower.ts'
import { soak } from './soak.ts'
import { start5gb } from './start-5gb.ts'
import { start } from './start.ts'
import { stored } from './stored.ts'
import { timers } from './timers.ts'
import { topics } from './topics.ts'
import { transfer } from './transfer.ts'
import { unacknowledged } from './unacknowledged.ts'
import { waiting } from './waiting.ts'

export const scenarios: readonly Scenario[] = [
  send,
  consume,
  modes,
  curve,
  sizes,
  topics,
  connections,
  waiting,
  timers,
  unacknowledged,
  connected,
  filtered,
  groups,
  stored,
  catchup,
  start,
  start5gb,
  failover,
  transfer,
  soak,
  saturation,
  overload,
  slowFollower,
  badClientsScenario,
  micro,
]
