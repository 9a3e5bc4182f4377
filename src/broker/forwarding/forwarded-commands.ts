/** Table commands from a node that does not lead: they are proposed by the leader, once. */
import type { LeaderLocator } from './leader-locator.ts'
import { decodeCommand, encodeCommand } from '../tables/command-codec.ts'
import { refusal } from '../errors.ts'
import type { Leadership, Proposals } from '../needs.ts'
import { COMMAND_VERSION } from '../peers/peer-wire.ts'
import type { PeerServices } from '../peers/peers.ts'

export interface ForwardedCommandsNeeds {
  readonly local: Proposals
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly locator: Pick<LeaderLocator, 'current'>
  readonly peers: PeerServices
  readonly ownId: string
  readonly timeoutMs: number
}

const METHOD = 'propose'

export function forwardCommands(need: ForwardedCommandsNeeds): Proposals {
  const { local, leadership, locator, peers, ownId, timeoutMs } = need
  peers.handle(METHOD, async (_from, _meta, payload) => ({ meta: await local.command(decodeCommand(payload)) }))
  return {
    checkRoom: (bytes) => local.checkRoom(bytes),
    records: (drafts, done, isEarly) => local.records(drafts, done, isEarly),
    commandWithRecords: (command, drafts) => local.commandWithRecords(command, drafts),
    async command(command) {
      const leader = locator.current()
      if (leadership.isReady || leader === undefined || leader.id === ownId) return local.command(command)
      try {
        const answer = await peers.ask(leader.id, METHOD, null, [encodeCommand(command, COMMAND_VERSION)], timeoutMs)
        return answer.meta
      } catch (error) {
        throw refusal('BROKER_NOT_LEADER', `the leader did not take the command: ${String(error)}`)
      }
    },
  }
}
