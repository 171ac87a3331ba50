using System.Reflection;
using Microsoft.Extensions.Logging;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Repository.Documents;

/// <summary>The table of log events in docs/diagnostics.md, compared with the log messages of the package.</summary>
public class LogEventTableTests
{
    private const string Begin = "<!-- events -->\n";
    private const string End = "<!-- /events -->";

    [Fact]
    public void Diagnostics_page_lists_every_log_event()
    {
        string expected = Render();
        string page = RepositoryFiles.Read("docs/diagnostics.md").ReplaceLineEndings("\n");
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        string actual = page[begin..page.IndexOf(End, StringComparison.Ordinal)];
        Assert.True(expected == actual, $"The table of events in docs/diagnostics.md is outdated. It must be:\n\n{expected}");
    }

    private static string Render()
    {
        IEnumerable<string> rows = typeof(ResumableUploadOptions).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(static method => (Method: method, Event: method.GetCustomAttribute<LoggerMessageAttribute>()!))
            .Where(static one => one.Event is not null)
            .OrderBy(static one => one.Event.EventId)
            .Select(static one => $"| {one.Event.EventId} | {Level(one.Method, one.Event)} | `{one.Method.Name}` | {one.Event.Message} |\n");
        return $"| Id | Level | Name | Message |\n|---|---|---|---|\n{string.Concat(rows)}";
    }

    /// <summary>A message whose level is a parameter is an error the first time, or once per minute, and then at level Debug.</summary>
    private static string Level(MethodInfo method, LoggerMessageAttribute message) =>
        method.GetParameters().Any(static parameter => parameter.ParameterType == typeof(LogLevel)) ? "Error, then Debug" : message.Level.ToString();
}
