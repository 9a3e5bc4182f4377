/** Names that a user gives. */
import { groupFault, topicFault } from '../../message/topic-name.ts'
import { clientErrors } from './errors.ts'

/** Errors: `CLIENT_MESSAGE_ILLEGAL`. */
export function checkTopicName(topic: string): void {
  const fault = topicFault(topic)
  if (fault !== undefined) throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', fault)
}

/** Errors: `CLIENT_OPTION`. */
export function checkGroupName(group: string): void {
  const fault = groupFault(group)
  if (fault !== undefined) throw clientErrors.create('CLIENT_OPTION', fault)
}
