/**
 * How a slave comes to its master: a name server that is told of the slave answers with the master of its group (103,
 * `masterAddr` and `haServerAddr`; RocketMQ BrokerController.handleRegisterBrokerResult), and the master is asked to take
 * it (`group/slave-joins.ts`).
 */
import { RaftmqCode, ResponseCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import type { Request } from '../../remoting/connection.ts'
import { JoinMasterResponseHeader } from '../../remoting/headers/members.ts'
import { RegisterBrokerResponseHeader } from '../../remoting/headers/namesrv.ts'
import { refusal } from '../errors.ts'
import { parseAddress, type Address } from '../options/options-values.ts'
import { registerRequest, type RegisteredSelf } from './register-request.ts'

export interface MasterFinderNeeds {
  readonly client: { invoke(address: string, request: Request, timeoutMs: number): Promise<RemotingCommand> }
  readonly self: RegisteredSelf
  readonly namesrvs: readonly string[]
  /** For each question. */
  readonly timeoutMs: number
}

export interface Master {
  /** Where its clients connect, `host:port`. */
  readonly address: string
  /** Where its slaves connect. */
  readonly haAddress: Address
}

/** What a slave knows of itself; without `id` it asks for one. */
export interface Comer {
  readonly id: string | undefined
  readonly clusterId: string | undefined
}

const nothing = { standsIn: false, topics: {}, version: { stateVersion: 0, timestamp: 0, counter: 0 } }

export class MasterFinder {
  readonly #need: MasterFinderNeeds

  constructor(need: MasterFinderNeeds) {
    this.#need = need
  }

  /** Rejects with `BROKER_REFUSED` when no name server knows a master now. */
  async find(): Promise<Master> {
    const { client, self, namesrvs, timeoutMs } = this.#need
    const request = registerRequest(self, { brokerId: self.followerId, ...nothing })
    const answers = await Promise.allSettled(namesrvs.map((namesrv) => client.invoke(namesrv, request, timeoutMs)))
    for (const answer of answers) {
      const master = answer.status === 'fulfilled' ? masterOf(answer.value) : undefined
      if (master !== undefined) return master
    }
    throw refusal('BROKER_REFUSED', `no name server knows a master of ${self.brokerName}`)
  }

  /** Resolves with the id that the master knows the slave by. Rejects with `BROKER_REFUSED` and what the master said. */
  async join({ address }: Master, { id, clusterId }: Comer): Promise<string> {
    const { client, self, timeoutMs } = this.#need
    const header = {
      place: self.haAddress,
      ...(id !== undefined && { id }),
      ...(clusterId !== undefined && { clusterId }),
    }
    const answer = await client.invoke(address, { code: RaftmqCode.JOIN_MASTER, header }, timeoutMs)
    if (answer.code !== ResponseCode.SUCCESS) {
      throw refusal(
        'BROKER_REFUSED',
        `the master at ${address} did not take it: ${answer.remark ?? `code ${answer.code}`}`,
      )
    }
    return JoinMasterResponseHeader.decode(answer.fields).id
  }
}

function masterOf(answer: RemotingCommand): Master | undefined {
  if (answer.code !== ResponseCode.SUCCESS) return undefined
  const { masterAddr = '', haServerAddr = '' } = RegisterBrokerResponseHeader.decode(answer.fields)
  const haAddress = parseAddress(haServerAddr)
  return masterAddr === '' || haAddress === undefined ? undefined : { address: masterAddr, haAddress }
}
