/** All scenarios, in the order in which they run and stand in the pages. */
import type { Scenario } from '../scenario.ts'
import { consume } from './consume.ts'
import { failover } from './failover.ts'
import { micro } from './micro.ts'
import { send } from './send.ts'
import { start5gb } from './start-5gb.ts'
import { start } from './start.ts'
import { transfer } from './transfer.ts'

export const scenarios: readonly Scenario[] = [send, consume, start, start5gb, failover, transfer, micro]
