namespace ResumableUploads.Hosting.Options.Validation;

/// <summary>Finds the name that a misspelled one was probably meant to be.</summary>
internal static class NearestName
{
    /// <summary>Returns the candidate with the smallest edit distance, ignoring case, or null if there are no candidates.</summary>
    public static string? Of(string name, IEnumerable<string> candidates) => candidates.MinBy(candidate => Distance(name, candidate));

    /// <summary>Returns the number of insertions, deletions and substitutions between two names (Levenshtein distance).</summary>
    public static int Distance(string x, string y)
    {
        (x, y) = (x.ToUpperInvariant(), y.ToUpperInvariant());
        int[] row = [.. Enumerable.Range(0, y.Length + 1)];
        for (int i = 1; i <= x.Length; i++)
        {
            (int diagonal, row[0]) = (row[0], i);
            for (int j = 1; j <= y.Length; j++)
            {
                int substitution = diagonal + (x[i - 1] == y[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
