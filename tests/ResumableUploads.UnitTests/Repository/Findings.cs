namespace ResumableUploads.UnitTests.Repository;

/// <summary>Reports everything that a check of the repository has found.</summary>
internal static class Findings
{
    public static void AssertNone(string problem, IEnumerable<string> findings)
    {
        string[] all = [.. findings];
        Assert.True(all.Length == 0, $"{problem} ({all.Length}):\n{string.Join('\n', all)}");
    }
}
