using System.Globalization;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>A request as a client makes it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path and query.</param>
/// <param name="Headers">All but those of the framing.</param>
/// <param name="Body">The content; null: none.</param>
/// <param name="IsOpen">Whether the length of the content is not told before.</param>
internal sealed record WireRequest(string Method, string Path, (string Name, string Value)[] Headers, ReadOnlyMemory<byte>? Body = null, bool IsOpen = false)
{
    /// <summary>Called before that many bytes of the body are handed to the network.</summary>
    public Action<int> Sending { get; init; } = static _ => { };

    /// <summary>How many bytes are handed over at a time.</summary>
    public int Slice { get; init; } = int.MaxValue;
}

/// <summary>What came back. Without a status nothing did, or not all of it.</summary>
internal sealed record WireAnswer(int? Status, ILookup<string, string> Headers, string Body)
{
    public static readonly WireAnswer None = new(null, Array.Empty<string>().ToLookup(static name => name), "");

    /// <summary>The headers of interim responses, one after the other.</summary>
    public IReadOnlyList<ILookup<string, string>> Interim { get; init; } = [];

    public string? Header(string name) => Headers[name].FirstOrDefault();

    public long? Number(string name) => long.TryParse(Header(name), NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;

    public override string ToString() => $"{Status?.ToString(CultureInfo.InvariantCulture) ?? "no answer"} {string.Join("; ", Headers.Select(static header => $"{header.Key}: {header.First()}"))} {Body}";
}

/// <summary>Sends requests, each over a connection of its own. Whatever breaks is no error: the answer is then none.</summary>
internal interface IWire
{
    /// <param name="request">What is sent.</param>
    /// <param name="patience">After what time the client gives up.</param>
    Task<WireAnswer> SendAsync(WireRequest request, TimeSpan patience);
}
