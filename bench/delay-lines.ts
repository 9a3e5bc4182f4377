/** Puts a node far away from its peers: everything between them goes through `load/delay-line.ts`. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { HOST, type NodePlan } from '../src/cli/cluster-plan.ts'
import { unusedPorts } from '../src/cli/free-ports.ts'
import { systemRandom } from '../src/lib/prng.ts'
import type { Bench } from './scenario.ts'

const program = fileURLToPath(new URL('./load/delay-line.js', import.meta.url))

export class DelayLines {
  readonly #far: string
  /** `from to` → the port at which `from` finds `to`. */
  readonly #ports: ReadonlyMap<string, number>
  #child: ChildProcess | undefined

  private constructor(far: string, ports: ReadonlyMap<string, number>) {
    this.#far = far
    this.#ports = ports
  }

  /** Between the node `far` and the `others`, whichever dials. */
  static async around(far: string, others: readonly string[]): Promise<DelayLines> {
    const links = others.flatMap((other) => [`${far} ${other}`, `${other} ${far}`])
    const ports = await unusedPorts(links.length, systemRandom)
    return new DelayLines(far, new Map(links.map((link, at) => [link, ports[at] ?? 0])))
  }

  /** For the file of node `id`: where it dials whom. */
  propertiesOf(id: string, plans: readonly NodePlan[]): readonly (readonly [key: string, value: string])[] {
    const behind = plans.filter((plan) => plan.id !== id && (id === this.#far || plan.id === this.#far))
    const places = behind.map((plan) => `${plan.id}=${HOST}:${this.#ports.get(`${id} ${plan.id}`) ?? 0}`)
    return [['raftPeerAddresses', places.join(';')]]
  }

  /** Opens the lines to these nodes. */
  async open(bench: Bench, plans: readonly NodePlan[]): Promise<void> {
    const peerPorts = new Map(plans.map(({ id, ports }) => [id, ports.peer]))
    const pairs = [...this.#ports].map(([link, port]) => `${port}:${peerPorts.get(link.split(' ')[1] ?? '') ?? 0}`)
    this.#child = bench.children.start(process.execPath, [program, ...pairs], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.#child.stdout !== null) await once(this.#child.stdout, 'data')
  }

  /** In each direction. */
  set(delayMs: number): void {
    this.#child?.stdin?.write(`${delayMs}\n`)
  }

  close(): void {
    this.#child?.stdin?.end()
  }
}
