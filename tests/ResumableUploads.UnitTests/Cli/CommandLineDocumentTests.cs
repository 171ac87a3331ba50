using System.CommandLine;
using System.Text.Json;
using ResumableUploads.Cli;
using ResumableUploads.Cli.CommandLine;
using ResumableUploads.Cli.Output;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Documents;

namespace ResumableUploads.UnitTests.Cli;

public class CommandLineDocumentTests
{
    private static readonly string Text = RepositoryFiles.Read("docs/clients/command-line.md");

    [Fact]
    public void Document_has_every_option_and_no_other()
    {
        var command = new Command("resup");
        new CommandSymbols().AddTo(command, CommandKind.Upload);
        string[] rows = [.. Text.Split('\n').Where(static line => line.StartsWith("| `-", StringComparison.Ordinal)).Select(static line => line.Split('|')[1])];
        string[] names = [.. command.Options.Where(static option => !option.Hidden).Select(static option => option.Name)];

        Assert.Equal(names.Length, rows.Length);
        Assert.All(names, name => Assert.Single(rows, row => row.Contains($"`{name} ", StringComparison.Ordinal) || row.Contains($"`{name}`", StringComparison.Ordinal)));
    }

    [Fact]
    public void Document_has_every_event_and_exit_code()
    {
        foreach (EventKind kind in Enum.GetValues<EventKind>())
        {
            string name = JsonSerializer.Serialize(kind, CliJsonContext.Default.EventKind).Trim('"');
            Assert.Contains($"\n| `{name}` |", Text, StringComparison.Ordinal);
        }

        Assert.All(Enum.GetValues<ExitCode>(), static code => Assert.Contains($"\n| {(int)code} |", Text, StringComparison.Ordinal));
    }

    [Fact]
    public void Document_examples_of_events_have_the_members_of_the_output()
    {
        CodeBlock block = Assert.Single(new MarkdownDocument(Text).Blocks("json"));
        foreach (string line in block.Code.Split('\n'))
        {
            CliEvent entry = JsonSerializer.Deserialize(line, CliJsonContext.Default.CliEvent)!;
            Assert.Equal(Normalize(line), Normalize(JsonSerializer.Serialize(entry, CliJsonContext.Default.CliEvent)));
        }
    }

    private static string Normalize(string json) =>
        string.Join(',', JsonElement.Parse(json).EnumerateObject().Select(static member => $"{member.Name}={member.Value}").Order(StringComparer.Ordinal));
}
