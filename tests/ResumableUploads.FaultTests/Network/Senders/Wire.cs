using System.Globalization;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>A request of a client.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path and query.</param>
/// <param name="Headers">All headers except those for framing.</param>
/// <param name="Body">The content, or null for none.</param>
/// <param name="IsOpen">Whether the length of the content is not declared.</param>
internal sealed record WireRequest(string Method, string Path, (string Name, string Value)[] Headers, ReadOnlyMemory<byte>? Body = null, bool IsOpen = false)
{
    /// <summary>Gets a callback that is invoked before this many bytes of the body are sent.</summary>
    public Action<int> Sending { get; init; } = static _ => { };

    /// <summary>Gets the number of bytes that are sent at a time.</summary>
    public int Slice { get; init; } = int.MaxValue;
}

/// <summary>A response. It has no status if none arrived or it was incomplete.</summary>
internal sealed record WireResponse(int? Status, ILookup<string, string> Headers, string Body)
{
    public static readonly WireResponse None = new(null, Array.Empty<string>().ToLookup(static name => name), "");

    /// <summary>Gets the headers of the interim responses in order.</summary>
    public IReadOnlyList<ILookup<string, string>> Interim { get; init; } = [];

    public string? Header(string name) => Headers[name].FirstOrDefault();

    public long? Number(string name) => long.TryParse(Header(name), NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;

    public override string ToString() => $"{Status?.ToString(CultureInfo.InvariantCulture) ?? "no response"} {string.Join("; ", Headers.Select(static header => $"{header.Key}: {header.First()}"))} {Body}";
}

/// <summary>Sends requests, each over its own connection. A network error is not an exception but a response without a status.</summary>
internal interface IWire
{
    /// <param name="request">The request.</param>
    /// <param name="timeout">The time after which the client gives up.</param>
    Task<WireResponse> SendAsync(WireRequest request, TimeSpan timeout);
}
