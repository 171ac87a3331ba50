using System.Globalization;
using ResumableUploads.Cli.CommandLine;

namespace ResumableUploads.Cli.Output;

/// <summary>The numbers of a row with a progress bar.</summary>
internal sealed class ProgressRow(string title, long? size, TimeProvider timeProvider)
{
    private readonly RateMeter _rate = new(timeProvider);
    private readonly Lock _lock = new();
    private long? _offset;

    public string Title => title;

    public long? Size => size;

    public long Offset => _offset ?? 0;

    /// <summary>Sets the offset and returns by how much it has grown. The first offset is where an upload continues, so that it does not count as sent.</summary>
    public long Advance(long offset)
    {
        lock (_lock)
        {
            long delta = offset - (_offset ?? offset);
            _offset = offset;
            _rate.Add(delta);
            return delta;
        }
    }

    /// <summary>Changes the offset of a sum.</summary>
    /// <param name="change">The change of the offset.</param>
    /// <param name="sent">The part of it that was sent in this run.</param>
    public void Add(long change, long sent)
    {
        lock (_lock)
        {
            _offset = Offset + change;
            _rate.Add(sent);
        }
    }

    public string FormatBytes() => size is { } total ? $"{ByteSize.Format(Offset)} / {ByteSize.Format(total)}" : ByteSize.Format(Offset);

    public string FormatRate()
    {
        lock (_lock)
        {
            return _rate.GetRate() is { } rate ? $"{ByteSize.Format((long)rate)}/s" : "";
        }
    }

    public string FormatRemaining()
    {
        lock (_lock)
        {
            return size is { } total && Offset < total && _rate.GetRate() is > 0 and var rate ? FormatDuration((total - Offset) / rate) : "";
        }
    }

    private static string FormatDuration(double seconds) => seconds switch
    {
        < 3600 => TimeSpan.FromSeconds(Math.Ceiling(seconds)).ToString(@"m\:ss", CultureInfo.InvariantCulture),
        < 86400 => TimeSpan.FromSeconds(seconds).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture),
        _ => "> 1 day",
    };
}
