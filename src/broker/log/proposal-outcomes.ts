/** How a proposal fails. Only `undecided` leaves open whether it is stored. */
import { brokerErrors } from '../errors.ts'

export const notLeader = (why: string): Error => brokerErrors.create('BROKER_NOT_LEADER', why)
export const busy = (why: string): Error => brokerErrors.create('BROKER_BUSY', why)
export const undecided = (why: string): Error => brokerErrors.create('BROKER_UNDECIDED', why)
