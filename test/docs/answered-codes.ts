/** The codes that a running broker and name server have routes for: asked of them, not of their source. */
import { RaftmqCode, RequestCode, ResponseCode } from '../../src/remoting/codes.ts'
import { startCluster } from '../../src/index.ts'
import { withRemoting } from '../cluster/admin-calls.ts'
import type { Routed } from './compatibility-page.ts'

let answered: Promise<Routed> | undefined

export function answeredCodes(): Promise<Routed> {
  answered ??= ask()
  return answered
}

async function ask(): Promise<Routed> {
  const cluster = await startCluster({ nodes: 1 })
  try {
    const address = cluster.nodes[0]?.address ?? ''
    return { broker: await answeredBy(address), namesrv: await answeredBy(cluster.namesrv) }
  } finally {
    await cluster.close()
  }
}

/** A code without a route is answered 3; whatever else comes back, there is one. */
async function answeredBy(address: string): Promise<ReadonlySet<number>> {
  const codes = [...Object.values(RequestCode), ...Object.values(RaftmqCode)]
  return withRemoting(async (client) => {
    const answers = await Promise.all(
      codes.map(async (code) => ({
        code,
        response: await client.invoke(address, { code }, 10_000).catch(() => undefined),
      })),
    )
    return new Set(
      answers
        .filter(({ response }) => response?.code !== ResponseCode.REQUEST_CODE_NOT_SUPPORTED)
        .map(({ code }) => code),
    )
  })
}
