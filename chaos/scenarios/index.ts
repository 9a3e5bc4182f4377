/** All scenarios, in the order of the README. */
import type { Scenario } from '../scenario.ts'
import { diskScenarios } from './disks.ts'
import { memberScenarios } from './members.ts'
import { networkScenarios } from './networks.ts'
import { processScenarios } from './processes.ts'
import { resourceScenarios } from './resources.ts'

export const scenarios: readonly Scenario[] = [
  ...processScenarios,
  ...diskScenarios,
  ...memberScenarios,
  ...networkScenarios,
  ...resourceScenarios,
]

/** One of each family, the quickest that says most: what every change is held to. */
export const smoke: readonly string[] = [
  'kill-leader',
  'pause-leader-5s',
  'rolling-restart',
  'power-all',
  'fsync-fails-on-leader',
  'flipped-bit',
  'members-while-leaders-die',
  'partition-leader',
  'full-tmpfs',
]
