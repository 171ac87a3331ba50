namespace ResumableUploads.FunctionalTests.Proxies.Servers;

/// <summary>A reverse proxy that runs in front of an app.</summary>
internal interface IProxy : IAsyncDisposable
{
    /// <summary>Gets the address at which clients reach the app.</summary>
    Uri Address { get; }
}
