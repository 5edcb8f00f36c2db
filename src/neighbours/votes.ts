// Votes of the nearest examples.

/** Weight of a neighbour: 1 for all, or the inverse of its distance. */
export type VoteWeights = 'uniform' | 'distance';

/** All kinds of weights. */
export const voteWeights: readonly VoteWeights[] = ['uniform', 'distance'];

/** Default options of `knn`. */
export const knnDefaults = { k: 5, distance: 'cosine', weights: 'uniform' } as const;

/** A neighbour that votes. */
export interface Voter {
  readonly label: string;
  readonly distance: number;
}

/**
 * Share of the votes for each label that has any, the largest first. Labels with equal shares are sorted by their
 * nearest voter. With weights by distance, only voters at distance 0 count if there are any, as in scikit-learn.
 *
 * @param voters - Sorted by distance, the nearest first.
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
