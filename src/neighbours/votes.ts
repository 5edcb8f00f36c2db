// Votes of the nearest examples.

/** How much a neighbour counts: all alike, or by the inverse of its distance. */
export type VoteWeights = 'uniform' | 'distance';

/** All of them. */
export const voteWeights: readonly VoteWeights[] = ['uniform', 'distance'];

/** How `knn` asks by itself. */
export const knnDefaults = { k: 5, distance: 'cosine', weights: 'uniform' } as const;

/** A neighbour that votes. */
export interface Voter {
  readonly label: string;
  readonly distance: number;
}

/**
 * Share of the votes of each label that has any, the largest first; of equal ones that of the nearest voter. With weights by
 * distance, voters at distance 0 outvote all others, as in scikit-learn.
 *
 * @param voters - The nearest first.
 */
export function voteShares(voters: readonly Voter[], weights: VoteWeights): Map<string, number> {
  const isSame = voters.some(({ distance }) => distance === 0);
  const weigh = ({ distance }: Voter) => {
    if (weights === 'uniform') return 1;
    return isSame ? Number(distance === 0) : 1 / distance;
  };
  const votes = new Map<string, number>();
  for (const voter of voters) votes.set(voter.label, (votes.get(voter.label) ?? 0) + weigh(voter));
  const total = [...votes.values()].reduce((sum, each) => sum + each, 0);
  return new Map([...votes].map(([label, each]) => [label, each / total] as const).sort(([, a], [, b]) => b - a));
}
