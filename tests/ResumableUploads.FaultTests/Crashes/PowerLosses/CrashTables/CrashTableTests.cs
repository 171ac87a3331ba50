using ResumableUploads.Testing;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.CrashTables;

/// <summary>Verifies that the crash tables in docs/stores/file-system.md match the recorded steps of the store and the state after a crash at each step.</summary>
public class CrashTableTests
{
    private const string DocumentPath = "docs/stores/file-system.md";

    private const string SampleDocument =
        "### A table\n\nText.\n\n| # | Step | Killed | Power lost | Then |\n|---|---|---|---|---|\n| 1 | sync a | none | received, 5 | Text. |\n\n### Another\n";

    public static TheoryData<string> Names => [.. CrashScenarios.All.Select(static scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Crash_table_lists_the_recorded_steps(string name)
    {
        CrashScenario scenario = CrashScenarios.All.Single(scenario => scenario.Name == name);
        IReadOnlyList<CrashTableRow> recorded = await CrashTable.RecordAsync(scenario);
        IReadOnlyList<CrashTableRow> documented = CrashTable.Parse(RepositoryFiles.Read(DocumentPath), name);
        Assert.True(
            recorded.SequenceEqual(documented),
            $"The table '{name}' in {DocumentPath} differs from the recorded steps. The table should be:\n\n{CrashTable.Render(recorded)}");
    }

    [Fact]
    public void Crash_table_headings_match_the_scenarios()
    {
        Assert.Equal(CrashScenarios.All.Select(static scenario => scenario.Name), CrashTable.GetNames(RepositoryFiles.Read(DocumentPath)));
    }

    [Fact]
    public void Parse_reads_rows_and_ignores_number_and_last_column()
    {
        Assert.Equal([new CrashTableRow("sync a", "none", "received, 5")], CrashTable.Parse(SampleDocument, "A table"));
    }

    [Fact]
    public void Parse_returns_nothing_for_heading_without_table()
    {
        Assert.Empty(CrashTable.Parse(SampleDocument, "Another"));
    }

    [Fact]
    public void GetNames_returns_only_headings_with_a_table()
    {
        Assert.Equal(["A table"], CrashTable.GetNames(SampleDocument));
    }
}
