namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>
/// Chooses what reached the disk of the operations that were not durable. With few operations: none, all, all subsets, and each write torn while the
/// rest is lost or kept. With many: each alone, all but each, and random subsets.
/// </summary>
internal static class CrashChoices
{
    private const int Few = 8;
    private static readonly Fate[] Odd = [Fate.Torn, Fate.Zeros, Fate.Holed];

    public static IEnumerable<Dictionary<int, Fate>> All(IReadOnlyList<DiskOperation> log, PendingOperations pending, int sample, Random random)
    {
        int[] indices = pending.Indices;
        yield return Of(pending, static _ => false);
        yield return Of(pending, static _ => true);
        for (int subset = 1; indices.Length <= Few && subset < 1 << indices.Length; subset++)
        {
            yield return Of(pending, i => (subset >> i & 1) != 0);
        }

        for (int one = 0; indices.Length > Few && one < indices.Length; one++)
        {
            yield return Of(pending, i => i == one);
            yield return AllBut(pending, indices[one]);
        }

        foreach (int index in indices.Where(index => log[index] is Written))
        {
            foreach (Fate odd in Odd)
            {
                foreach (bool rest in (bool[])[false, true])
                {
                    Dictionary<int, Fate> fates = Of(pending, _ => rest);
                    fates[index] = odd;
                    yield return fates;
                }
            }
        }

        for (int i = 0; indices.Length > 1 && i < sample; i++)
        {
            yield return AtRandom(log, pending, random);
        }
    }

    public static Dictionary<int, Fate> AtRandom(IReadOnlyList<DiskOperation> log, PendingOperations pending, Random random)
    {
        // Mostly kept, mostly lost, or half of each.
        int share = random.Next(1, 10);
        Dictionary<int, Fate> fates = Of(pending, _ => random.Next(10) < share);
        foreach (int index in pending.Indices.Where(index => log[index] is Written))
        {
            if (random.Next(3) == 0)
            {
                fates[index] = Odd[random.Next(Odd.Length)];
            }
        }

        return fates;
    }

    public static string Describe(IReadOnlyList<DiskOperation> log, IReadOnlyDictionary<int, Fate> fates) =>
        string.Join("\n", fates.OrderBy(static fate => fate.Key).Select(fate => $"  {fate.Key} {fate.Value}: {log[fate.Key]}"));

    private static Dictionary<int, Fate> Of(PendingOperations pending, Func<int, bool> isThere)
    {
        var fates = pending.Indices.ToDictionary(static index => index, static _ => Fate.Lost);
        for (int i = 0; i < pending.Indices.Length; i++)
        {
            if (isThere(i))
            {
                foreach (int index in pending.With(pending.Indices[i]))
                {
                    fates[index] = Fate.There;
                }
            }
        }

        return fates;
    }

    /// <summary>Returns all operations but one, and without those that depend on it.</summary>
    private static Dictionary<int, Fate> AllBut(PendingOperations pending, int one) =>
        pending.Indices.ToDictionary(static index => index, index => pending.With(index).Contains(one) ? Fate.Lost : Fate.There);
}
