using System.Text.Json;

namespace ResumableUploads.FaultTests.Network.CommandLine;

/// <summary>Receives the JSON output of the command, and acts after a number of events.</summary>
/// <param name="count">The number of events.</param>
/// <param name="reached">Runs once after the last of them.</param>
internal sealed class EventWriter(int count, Action reached) : StringWriter
{
    private int _count;

    public override void Write(string? value)
    {
        base.Write(value);
        if (++_count == count)
        {
            reached();
        }
    }

    /// <summary>Returns the events of a kind.</summary>
    public JsonElement[] EventsOf(string kind) =>
        [.. ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonElement.Parse(line)).Where(entry => entry.GetProperty("event").GetString() == kind)];
}
