using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Hosting.Startup;

/// <summary>The endpoints whose uploads one engine handles.</summary>
/// <param name="DisplayName">Their path, pattern or name in log messages.</param>
/// <param name="GetEngineNames">Gets the names of the engine in the records of uploads.</param>
internal sealed record ServedEndpoints(string DisplayName, Func<IReadOnlyCollection<string>> GetEngineNames)
{
    /// <summary>Gets an action that is called with the locks of the store before the engine starts, or <see langword="null"/> for none.</summary>
    public Action<UploadLockTable>? OnStarting { get; init; }

    /// <summary>Gets a function that returns the part of the keys of uploads that a ready-made endpoint adds, or <see langword="null"/> for others.</summary>
    public Func<string?>? GetScope { get; init; }

    /// <summary>Gets a function that returns the path of the middleware, or <see langword="null"/> for others.</summary>
    public Func<string?>? GetPath { get; init; }

    /// <summary>Gets a function that returns the route pattern of a ready-made endpoint, or <see langword="null"/> for others.</summary>
    public Func<string?>? GetRoutePattern { get; init; }

    /// <summary>Gets whether they are endpoints of the app, which handle complete uploads themselves.</summary>
    public bool AreHandlers { get; init; }
}
