/** The workloads: whose clients they are, and why one cannot run here. */
import { errorMessage } from '../src/lib/errors.ts'
import { missingTool } from '../test/interop/support/maven.ts'
import { javaProgram, JavaTraffic } from './java-traffic.ts'
import { OwnTraffic } from './own-traffic.ts'
import type { Traffic, TrafficRequest, WorkloadName } from './traffic.ts'

export interface WorkloadKind {
  /** For people, in tables. */
  readonly title: string
  traffic(request: TrafficRequest): Traffic
  /** Why it cannot run on this machine, or undefined. */
  cannot(): Promise<string | undefined>
}

/** The client's default is 1,000. */
const QUICK_PULL_RETRY_MS = 100

export const workloads: Readonly<Record<WorkloadName, WorkloadKind>> = {
  own: {
    title: 'own client',
    traffic: (request) => new OwnTraffic(request),
    cannot: () => Promise.resolve(undefined),
  },
  java: { title: 'Java client', traffic: (request) => new JavaTraffic(request), cannot: whyNoJava },
  'java-quick-pulls': {
    title: 'Java client, quick pulls',
    traffic: (request) => new JavaTraffic(request, QUICK_PULL_RETRY_MS),
    cannot: whyNoJava,
  },
}

export function isWorkload(name: string): name is WorkloadName {
  return Object.hasOwn(workloads, name)
}

async function whyNoJava(): Promise<string | undefined> {
  const missing = await missingTool()
  if (missing !== undefined) return `the stock Java client needs a JDK and Maven: ${missing} is not installed`
  try {
    await javaProgram()
    return undefined
  } catch (error) {
    return `the stock Java client could not be had: ${errorMessage(error)}`
  }
}
