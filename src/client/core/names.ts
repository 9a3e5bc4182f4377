/** Names that a user gives, who may write no TypeScript. */
import { groupFault, topicFault } from '../../message/topic-name.ts'
import { clientErrors } from './errors.ts'

/** Errors: `CLIENT_MESSAGE_ILLEGAL`. */
export function checkTopicName(topic: string): void {
  const fault = typeof topic === 'string' ? topicFault(topic) : `topic: ${String(topic)} is no text`
  if (fault !== undefined) throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', fault)
}

/** Errors: `CLIENT_OPTION`. */
export function checkGroupName(group: string): void {
  const fault = typeof group === 'string' ? groupFault(group) : `group: ${String(group)} is no text`
  if (fault !== undefined) throw clientErrors.create('CLIENT_OPTION', fault)
}
