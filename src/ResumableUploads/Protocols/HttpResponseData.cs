namespace ResumableUploads.Protocols;

/// <summary>A response as data. Protocols return it and the middleware writes it, so that protocols can be tested without a server.</summary>
internal sealed record HttpResponseData(int StatusCode)
{
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public string? ContentType { get; init; }

    /// <summary>Gets the type of the problem that the response describes, or null if it describes none, or is a response of the application.</summary>
    public string? ProblemType { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Gets whether the body of the application's response is not sent, and neither are the headers that describe it.</summary>
    public bool OmitsBody { get; init; }

    /// <summary>Returns a copy with the header added. Returns this instance if the value is null or the header exists.</summary>
    public HttpResponseData WithHeader(string name, string? value) =>
        value is null || GetHeader(name) is not null ? this : this with { Headers = [.. Headers, new(name, value)] };

    public string? GetHeader(string name) =>
        Headers.FirstOrDefault(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)).Value;
}
