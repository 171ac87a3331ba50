namespace ResumableUploads.Protocols;

/// <summary>An answer before it is written: pure data, so that tables of tests can look at it.</summary>
internal sealed record HttpResponseData(int StatusCode)
{
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public string? ContentType { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The same with one header more, unless there is nothing to say or it is said already.</summary>
    public HttpResponseData WithHeader(string name, string? value) =>
        value is null || GetHeader(name) is not null ? this : this with { Headers = [.. Headers, new(name, value)] };

    public string? GetHeader(string name) =>
        Headers.FirstOrDefault(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)).Value;
}
