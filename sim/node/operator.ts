/** The person who runs the group: changes its mode, hands leadership over, reads what was lost. */
import { errorCode } from '../../src/lib/errors.ts'
import { RaftmqCode, RequestCode } from '../../src/remoting/codes.ts'
import type { ClientHost } from './client-host.ts'
import type { Cluster } from './cluster.ts'
import { declaredLossOf, type DeclaredLoss } from './declared-loss.ts'
import type { GroupChange } from '../../src/client/admin/member-admin.ts'
import { addressOf, BROKER, PEER_PORT, type Machine } from './machine.ts'
import type { Modes } from './node-options.ts'

/** So long a change of the members is tried, and a new voter is waited for. */
const CHANGE_MS = 5000
/** A group of fewer voters cannot spare the disk that may be lost. */
const VOTERS_MIN = 3
/** Beside those that the group begins with. */
const MORE_MACHINES_MAX = 3
/** What a node's file may name. */
const GROUP_MAX = 7

export class Operator {
  readonly #cluster: Cluster
  readonly #host: ClientHost
  /** Voters that there surely are. */
  #voters: number
  readonly #machinesMax: number
  /** Changes of members that are asked for and not answered: the leader may begin them at any time. */
  #changes = 0

  constructor(cluster: Cluster, host: ClientHost) {
    this.#cluster = cluster
    this.#host = host
    this.#voters = cluster.machines.length
    this.#machinesMax = cluster.machines.length + MORE_MACHINES_MAX
  }

  transferLeader(to: string): void {
    const { leader } = this.#cluster
    if (leader === undefined) return
    const request = { code: RaftmqCode.TRANSFER_LEADERSHIP, header: { to } }
    this.#host.invoke(addressOf(leader), request).catch(() => undefined)
  }

  /** `mqadmin deleteExpiredCommitLog`. */
  dropExpired(): void {
    const { leader } = this.#cluster
    if (leader === undefined) return
    this.#host.invoke(addressOf(leader), { code: RequestCode.DELETE_EXPIRED_COMMITLOG }).catch(() => undefined)
  }

  async changeMode(to: Modes): Promise<void> {
    const ended = this.#cluster.modes.began(to)
    const text = `${to.flush} × ${to.replication}`
    const flushDiskType = to.flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH'
    try {
      await this.#host.admin.updateConfig(BROKER, { flushDiskType, raftReplication: to.replication })
      ended(true)
      this.#cluster.note(`the mode is ${text}`)
    } catch {
      ended(false)
      this.#cluster.note(`the mode may be ${text}`)
    }
  }

  /** `raftmq recover --unsafe --confirm`. */
  recover(): void {
    this.#cluster.counts.add('recover')
    this.#cluster.note('the operator goes on with the logs there are')
    for (const machine of this.#cluster.machines) {
      // Whoever does not answer is told again, as by a person.
      if (!machine.isGone) void this.#host.patiently(() => this.#host.admin.acceptDoubt(addressOf(machine)))
    }
  }

  /** One more voter. */
  async grow(): Promise<void> {
    const machine = await this.#add()
    if (machine !== undefined && (await this.#change({ change: 'promote', id: machine.id }))) this.#voters++
  }

  /** Whoever it is, a leader too. */
  async remove({ id }: Machine): Promise<void> {
    if (this.#voters <= VOTERS_MIN) return
    this.#cluster.copies.votersMayBe(--this.#voters)
    await this.#change({ change: 'remove', id })
  }

  async replace({ id }: Machine): Promise<void> {
    const by = await this.#add()
    if (by === undefined) return
    // Where the answer is lost, either of the two is a voter.
    await this.#change({ change: 'replace', id, by: by.id })
  }

  /** The machines that are members by the leader's word; undefined while there is none, or they are about to change. */
  async members(): Promise<readonly Machine[] | undefined> {
    try {
      const { members, isChanging } = await this.#host.admin.members(BROKER)
      if (isChanging || this.#changes > 0) return undefined
      return this.#cluster.machines.filter(({ id }) => members.some((member) => member.id === id))
    } catch {
      return undefined
    }
  }

  async #add(): Promise<Machine | undefined> {
    const { machines } = this.#cluster
    const isFull = machines.filter(({ isGone }) => !isGone).length >= GROUP_MAX
    if (isFull || machines.length >= this.#machinesMax) return undefined
    const machine = this.#cluster.addMachine()
    this.#cluster.boot(machine)
    const isAdded = await this.#change({ change: 'add', id: machine.id, place: `${machine.host}:${PEER_PORT}` })
    return isAdded ? machine : undefined
  }

  async #change(change: GroupChange): Promise<boolean> {
    const text = `${change.change} ${change.id}`
    this.#changes++
    try {
      await this.#host.admin.changeMembers(BROKER, change, CHANGE_MS)
      this.#cluster.note(`${text} is done`)
      return true
    } catch (error) {
      this.#cluster.note(`${text} may be done: ${errorCode(error) ?? 'thrown'}`)
      return false
    } finally {
      this.#changes--
    }
  }

  async declaredLoss(machine: Machine): Promise<DeclaredLoss> {
    return declaredLossOf(await this.#host.patiently(() => this.#host.admin.runtimeInfo(addressOf(machine))))
  }
}
