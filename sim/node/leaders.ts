/** Verifies: at most one node says that it leads in a term. */
import { Violation } from '../world/violation.ts'

export class Leaders {
  readonly #byTerm = new Map<number, string>()

  get terms(): number {
    return this.#byTerm.size
  }

  leads(id: string, term: number): void {
    const other = this.#byTerm.get(term)
    if (other !== undefined && other !== id) throw new Violation('election', `${other} and ${id} lead in term ${term}`)
    this.#byTerm.set(term, id)
  }
}
