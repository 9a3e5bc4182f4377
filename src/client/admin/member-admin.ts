/** The members of a broker group, asked of and changed through whichever of its nodes answers: they forward. */
import { sleep, type Clock } from '../../lib/clock.ts'
import { errorCode, RaftmqError } from '../../lib/errors.ts'
import { RaftmqCode, ResponseCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import { refusal, type Invoke, type Request } from '../core/broker-api.ts'
import { checkText } from '../core/call-options.ts'
import { clientErrors } from '../core/errors.ts'
import { field, integerOf, listOf, parseBody, textOf } from '../core/java-json.ts'
import { checkKeys, checkOneOf } from '../core/options.ts'
import { LEADER_ID, type BrokerGroup } from '../core/topic-route.ts'

export interface GroupMemberNode {
  readonly id: string
  /** In a change that is under way `leaving` is a voter still. */
  readonly role: string
  /** `host:port` where its peers reach it; null where only its own file says. */
  readonly place: string | null
  readonly isLeader: boolean
  /** False while its disk is being filled. */
  readonly isFilled: boolean
  readonly lagEntries: number
  /** Milliseconds since the leader heard it. */
  readonly lastContactMs: number
}

export interface GroupMembers {
  readonly broker: string
  readonly term: number
  readonly isChanging: boolean
  readonly members: readonly GroupMemberNode[]
  /** Ids that took part once: they are never used again. */
  readonly removed: readonly string[]
}

export type GroupChange =
  /** A new learner, which the others reach at `place` (`host:port`). */
  | { readonly change: 'add'; readonly id: string; readonly place: string }
  /** A learner becomes a voter; waits until it has caught up. */
  | { readonly change: 'promote'; readonly id: string }
  | { readonly change: 'remove'; readonly id: string }
  /** The learner `by` gets the vote of `id`, which leaves; waits until `by` has caught up. */
  | { readonly change: 'replace'; readonly id: string; readonly by: string }

/** What a change names beside `change`. */
const changeKeys: Readonly<Record<GroupChange['change'], readonly string[]>> = {
  add: ['id', 'place'],
  promote: ['id'],
  remove: ['id'],
  replace: ['id', 'by'],
}

/** Errors: `CLIENT_OPTION` for what is no change. */
export function checkChange(change: GroupChange): void {
  const kinds = Object.keys(changeKeys)
  checkKeys(change, 'a change of members', new Set(['change', ...Object.values(changeKeys).flat()]))
  checkOneOf('change', change.change, kinds)
  const names = changeKeys[change.change]
  checkKeys(change, change.change, new Set(['change', ...names]))
  const texts = new Map<string, string>(Object.entries(change))
  for (const name of names) checkText(name, texts.get(name))
}

export interface MemberAdminNeeds {
  readonly groupOf: (broker: string) => Promise<BrokerGroup>
  readonly invoke: Invoke
  readonly clock: Clock
}

/** What may be over in a moment, while leadership moves or another change ends; a change asked for twice is made once. */
const passing: ReadonlySet<string> = new Set([
  'CLIENT_NO_LEADER',
  'CLIENT_CONNECT',
  'CLIENT_CONNECTION_LOST',
  'CLIENT_TIMEOUT',
  'CLIENT_NO_NAMESRV',
  'RAFT_NOT_LEADER',
  'RAFT_TRANSFERRING',
  'RAFT_TRANSFER_FAILED',
  'RAFT_BAD_TARGET',
  'RAFT_BUSY',
  'RAFT_CHANGE_UNDERWAY',
])
const NOT_CAUGHT_UP = 'RAFT_NOT_CAUGHT_UP'
const PASSING_WITHIN_MS = 10_000
const RETRY_MS = 200

/** The members by the leader's word. Errors: `CLIENT_NO_LEADER` and those of a request. */
export async function listMembers(need: MemberAdminNeeds, broker: string): Promise<GroupMembers> {
  const answer = await patiently(
    need,
    PASSING_WITHIN_MS,
    (code) => passing.has(code),
    () => ask(need, broker, { code: RaftmqCode.GET_MEMBERS }),
  )
  return membersOf(parseBody(answer.body))
}

/**
 * Resolves once the group is as asked, also when it was so before. A voter to be may take `withinMs` to catch up. Errors:
 * the codes `RAFT_*` that say why a change is not begun (`docs/errors.md`), `CLIENT_REFUSED`, and those of a request.
 */
export async function changeMembers(
  need: MemberAdminNeeds,
  broker: string,
  change: GroupChange,
  withinMs: number,
): Promise<void> {
  const request = { code: RaftmqCode.CHANGE_MEMBERS, header: { ...change } }
  const work = (): Promise<unknown> =>
    patiently(
      need,
      PASSING_WITHIN_MS,
      (code) => passing.has(code),
      () => ask(need, broker, request),
    )
  await patiently(need, withinMs, (code) => code === NOT_CAUGHT_UP, work)
}

async function patiently<T>(
  { clock }: MemberAdminNeeds,
  withinMs: number,
  mayPass: (code: string) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  const deadlineMs = clock.monotonicMs() + withinMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!mayPass(errorCode(error) ?? '') || clock.monotonicMs() >= deadlineMs) throw error
      await sleep(clock, RETRY_MS)
    }
  }
}

/** The answer of the first node that gives one, the leader asked first. */
async function ask({ groupOf, invoke }: MemberAdminNeeds, broker: string, request: Request): Promise<RemotingCommand> {
  const { addresses } = await groupOf(broker)
  const inOrder = [...addresses].sort(([a], [b]) => Number(b === LEADER_ID) - Number(a === LEADER_ID) || a - b)
  let failure: unknown = clientErrors.create('CLIENT_NO_LEADER', `no node of ${broker} is registered`)
  for (const [, address] of inOrder) {
    let answer: RemotingCommand
    try {
      answer = await invoke(address, request)
    } catch (error) {
      failure = error
      continue
    }
    if (answer.code === ResponseCode.SUCCESS) return answer
    failure = failureOf(broker, answer)
    if (errorCode(failure) !== 'CLIENT_NO_LEADER') throw failure
  }
  throw failure
}

function failureOf(broker: string, answer: RemotingCommand): Error {
  const code = answer.fields.get('errorCode')
  const remark = answer.remark ?? ''
  if (code !== undefined)
    return new RaftmqError(code, `${remark} (${code})`, passing.has(code) || code === NOT_CAUGHT_UP)
  if (answer.code !== ResponseCode.SERVICE_NOT_AVAILABLE) return refusal(answer)
  return clientErrors.create('CLIENT_NO_LEADER', `${broker} has no leader now: ${remark}`)
}

function membersOf(body: unknown): GroupMembers {
  return {
    broker: textOf(field(body, 'broker')) ?? '',
    term: integerOf(field(body, 'term')) ?? 0,
    isChanging: field(body, 'isChanging') === true,
    members: listOf(field(body, 'members')).map((row) => ({
      id: textOf(field(row, 'id')) ?? '',
      role: textOf(field(row, 'role')) ?? '',
      place: textOf(field(row, 'place')) ?? null,
      isLeader: field(row, 'isLeader') === true,
      isFilled: field(row, 'isFilled') === true,
      lagEntries: integerOf(field(row, 'lagEntries')) ?? 0,
      lastContactMs: integerOf(field(row, 'lastContactMs')) ?? 0,
    })),
    removed: listOf(field(body, 'removed')).flatMap((id) => textOf(id) ?? []),
  }
}
