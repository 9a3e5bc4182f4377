/** Placeholder for the discriminated union of Raft messages; owned by the Raft room. */
export type Message = { readonly type: string; readonly from: string; readonly to: string; readonly term: number }
