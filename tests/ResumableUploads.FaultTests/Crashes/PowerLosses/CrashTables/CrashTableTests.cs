using ResumableUploads.Testing;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.CrashTables;

/// <summary>The crash table in docs/stores/file-system.md lists the steps that the store takes, and the result of a crash after each.</summary>
public class CrashTableTests
{
    private const string Page = "docs/stores/file-system.md";

    public static TheoryData<string> Names => [.. CrashScenarios.All.Select(static scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Crash_table_lists_the_recorded_steps(string name)
    {
        CrashScenario scenario = CrashScenarios.All.Single(scenario => scenario.Name == name);
        IReadOnlyList<CrashTableRow> recorded = await CrashTable.RecordAsync(scenario);
        IReadOnlyList<CrashTableRow> documented = CrashTable.Parse(RepositoryFiles.Read(Page), name);
        Assert.True(
            recorded.SequenceEqual(documented),
            $"The table '{name}' in {Page} differs from the recorded steps. The table should be:\n\n{CrashTable.Render(recorded)}");
    }

    [Fact]
    public void Crash_table_has_a_scenario_for_each_heading()
    {
        Assert.Equal(CrashScenarios.All.Select(static scenario => scenario.Name), CrashTable.GetNames(RepositoryFiles.Read(Page)));
    }

    [Fact]
    public void Parse_reads_steps_and_statuses_and_ignores_the_remarks()
    {
        const string Text = "### A table\n\nText.\n\n| # | Step | Killed | Power lost | Then |\n|---|---|---|---|---|\n| 1 | sync a | none | received, 5 | Text. |\n\n### Another\n";
        Assert.Equal([new CrashTableRow("sync a", "none", "received, 5")], CrashTable.Parse(Text, "A table"));
        Assert.Empty(CrashTable.Parse(Text, "Another"));
        Assert.Equal(["A table"], CrashTable.GetNames(Text));
    }
}
