namespace ResumableUploads.Testing.Servers;

/// <summary>The scopes of the keys of uploads, for tests that read a store directly.</summary>
internal static class UploadScopes
{
    /// <summary>The host that the clients of Kestrel send.</summary>
    public const string Host = "127.0.0.1";

    /// <summary>Returns the scope of uploads to a <see cref="TusApp"/>.</summary>
    public static string OfTusApp(string place) => place switch
    {
        TusApp.ReadyMade => OfMiddleware(TusApp.Url),
        TusApp.Mapped => OfMapped(TusApp.Url),
        _ => OfEndpoint(TusApp.Url),
    };

    /// <summary>Returns the scope of <c>UseResumableUploads</c> at a path.</summary>
    public static string OfMiddleware(string path = "/upload", string host = Host) => $"{host}\0{path}";

    /// <summary>Returns the scope of <c>MapResumableUploads</c> with a pattern without parameters.</summary>
    public static string OfMapped(string pattern, string host = Host) => $"{pattern}\0{host}\0{pattern}";

    /// <summary>Returns the scope of a resumable endpoint with a pattern without parameters, and without a name, host or content type.</summary>
    public static string OfEndpoint(string pattern, string methods = "POST", string host = Host) => $"{pattern}\0{methods}\0\0\0\0\0{host}\0{pattern}";
}
