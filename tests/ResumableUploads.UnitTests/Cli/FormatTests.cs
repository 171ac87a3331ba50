using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Cli;
using ResumableUploads.Cli.CommandLine;
using ResumableUploads.Cli.Output;
using ResumableUploads.Cli.Running;
using ResumableUploads.Client;

namespace ResumableUploads.UnitTests.Cli;

public class FormatTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("12", 12L)]
    [InlineData("8MiB", 8L << 20)]
    [InlineData("8m", 8L << 20)]
    [InlineData("8MB", 8_000_000L)]
    [InlineData("1K", 1024L)]
    [InlineData("2GiB", 2L << 30)]
    [InlineData("5B", 5L)]
    [InlineData("", null)]
    [InlineData("MiB", null)]
    [InlineData("-1", null)]
    [InlineData("1.5M", null)]
    [InlineData("8 MiB", null)]
    [InlineData("9223372036854775807K", null)]
    [InlineData("99999999999999999999", null)]
    public void ByteSize_parse_returns_the_size_or_null(string text, long? expected)
    {
        Assert.Equal(expected, ByteSize.Parse(text));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData((1 << 20) - 1, "1.0 MiB")]
    [InlineData(long.MaxValue, "8.0 EiB")]
    public void ByteSize_format_is_short(long bytes, string expected)
    {
        Assert.Equal(expected, ByteSize.Format(bytes));
    }

    [Theory]
    [InlineData("plain ünï[code] 文.txt", "plain ünï[code] 文.txt")]
    [InlineData("\e[2J", "\\u{1B}[2J")]
    [InlineData("a\r\nb\0", "a\\u{D}\\u{A}b\\u{0}")]
    [InlineData("\u009B31m", "\\u{9B}31m")]
    [InlineData("exe\u202Egpj", "exe\\u{202E}gpj")]
    [InlineData("a\u2028b\u200B", "a\\u{2028}b\\u{200B}")]
    public void Terminal_text_escapes_what_controls_a_terminal(string text, string expected)
    {
        Assert.Equal(expected, TerminalText.Escape(text));
    }

    [Theory]
    [InlineData("short", 10, "short")]
    [InlineData("0123456789abcdef", 10, "012…abcdef")]
    [InlineData("01😀3456789😀12345", 10, "01…12345")]
    public void Terminal_text_shorten_keeps_both_ends(string text, int length, string expected)
    {
        string shortened = TerminalText.Shorten(text, length);
        Assert.Equal(expected, shortened);
    }

    [Theory]
    [InlineData(0, 0, "100%")]
    [InlineData(0, 10, "0%")]
    [InlineData(999, 1000, "99%")]
    [InlineData(1000, 1000, "100%")]
    public void Percent_is_100_only_at_the_end(long offset, long size, string expected)
    {
        Assert.Equal(expected, EventText.Percent(offset, size));
    }

    [Fact]
    public void Rate_is_that_of_the_last_seconds()
    {
        var time = new FakeTimeProvider();
        var rate = new RateMeter(time);
        Assert.Null(rate.GetRate());
        for (int i = 0; i <= 20; i++)
        {
            rate.Add(i == 0 ? 0 : 1000);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(rate.GetRate()!.Value, 900, 1000);
        rate.Add(-5_000);
        Assert.InRange(rate.GetRate()!.Value, 900, 1000);
        for (int i = 0; i < 20; i++)
        {
            rate.Add(0);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, rate.GetRate());
    }

    [Fact]
    public void Row_first_offset_does_not_count_as_sent()
    {
        var time = new FakeTimeProvider();
        var row = new ProgressRow("a", 10_000, time);
        Assert.Equal(0, row.Advance(5_000));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2_000, row.Advance(7_000));
        Assert.Equal("1000 B/s", row.FormatRate());
        Assert.Equal("0:03", row.FormatRemaining());
        Assert.Equal("6.8 KiB / 9.8 KiB", row.FormatBytes());
    }

    [Theory]
    [InlineData(3, 0, 0, 0, false, 0)]
    [InlineData(2, 1, 0, 0, false, 1)]
    [InlineData(2, 0, 1, 0, false, 4)]
    [InlineData(2, 0, 0, 1, false, 5)]
    [InlineData(1, 1, 0, 1, false, 1)]
    [InlineData(1, 1, 1, 0, false, 4)]
    [InlineData(1, 0, 0, 0, true, 3)]
    [InlineData(1, 1, 0, 0, true, 3)]
    [InlineData(3, 0, 0, 0, true, 0)]
    public void Exit_code_follows_from_the_results(int completed, int failed, int signedOut, int unavailable, bool isPaused, int expected)
    {
        var totals = new RunTotals(3);
        Repeat(completed, totals.AddCompleted);
        Repeat(failed, () => totals.AddFailed(UploadFailureReason.TooLarge));
        Repeat(signedOut, () => totals.AddFailed(UploadFailureReason.SignedOut));
        Repeat(unavailable, () => totals.AddFailed(UploadFailureReason.RetriesExhausted));

        ExitCode exitCode = totals.GetExitCode(isPaused);

        Assert.Equal(expected, (int)exitCode);
        CliEvent summary = totals.ToEvent(exitCode);
        Assert.Equal((completed, failed + signedOut + unavailable), (summary.CompletedCount, summary.FailedCount));
        Assert.Equal(3 - completed - failed - signedOut - unavailable, summary.UnfinishedCount);
    }

    [Fact]
    public void Json_line_has_only_the_members_that_apply()
    {
        var writer = new StringWriter();
        var output = new JsonOutput(writer, isQuiet: false, TimeProvider.System);
        output.Write(new CliEvent(EventKind.Failed) { Path = "a\nb", Size = 5, Reason = "too-large", StatusCode = 413, Message = "\"x\"" });
        Assert.Equal("{\"event\":\"failed\",\"path\":\"a\\nb\",\"size\":5,\"statusCode\":413,\"reason\":\"too-large\",\"message\":\"\\u0022x\\u0022\"}\n", writer.ToString());
    }

    [Fact]
    public void Json_progress_is_printed_once_per_second_and_not_if_quiet()
    {
        var time = new FakeTimeProvider();
        var writer = new StringWriter();
        var output = new JsonOutput(writer, isQuiet: false, time);
        for (int i = 0; i < 21; i++)
        {
            output.Write(new CliEvent(EventKind.Progress) { Path = "a", Offset = i });
            time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(3, writer.ToString().Count(static c => c == '\n'));
        var quiet = new StringWriter();
        new JsonOutput(quiet, isQuiet: true, time).Write(new CliEvent(EventKind.Progress) { Path = "a" });
        Assert.Empty(quiet.ToString());
    }

    private static void Repeat(int count, Action action)
    {
        for (int i = 0; i < count; i++)
        {
            action();
        }
    }
}
