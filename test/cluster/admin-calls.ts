/** Requests to a node's own port that the client library has no method for. */
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RaftmqCode, RequestCode } from '../../src/remoting/codes.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { KvTable } from '../../src/remoting/bodies/broker.ts'

export interface TablesState {
  readonly appliedIndex: number
  readonly digest: string
}

export async function withRemoting<T>(use: (client: RemotingClient) => Promise<T>): Promise<T> {
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

export async function tablesState(client: RemotingClient, address: string): Promise<TablesState> {
  const answer = await client.invoke(address, { code: RaftmqCode.GET_TABLES_STATE }, 5000)
  return { appliedIndex: Number(answer.fields.get('appliedIndex')), digest: answer.fields.get('digest') ?? '' }
}

export async function runtime(client: RemotingClient, address: string): Promise<ReadonlyMap<string, string>> {
  const answer = await client.invoke(address, { code: RequestCode.GET_BROKER_RUNTIME_INFO }, 5000)
  return KvTable.decode(answer.body).table
}
