namespace ResumableUploads.Engine.Diagnostics;

/// <summary>Where an upload or a request belongs in metrics, traces and log messages. It identifies no client.</summary>
/// <param name="Protocol">The name of the protocol, or null if it is unknown.</param>
/// <param name="Place">The endpoint, or the name of its engine, or null if it is unknown.</param>
internal readonly record struct UploadOrigin(string? Protocol, string? Place)
{
    /// <summary>Gets the route pattern of the endpoint, or the path of the middleware, or null if it is unknown.</summary>
    public string? Endpoint => GetEndpoint(Place);

    /// <summary>Returns the origin of an upload.</summary>
    public static UploadOrigin From(EngineRecord record) => new(record.Protocol, record.Route ?? record.EngineName);

    /// <summary>Returns the endpoint that the name of an engine contains: a path or pattern, and after it what else distinguishes the endpoint.</summary>
    public static string? GetEndpoint(string? engineName) =>
        engineName?.IndexOf('\0', StringComparison.Ordinal) is { } end and >= 0 ? engineName[..end] : engineName;
}
