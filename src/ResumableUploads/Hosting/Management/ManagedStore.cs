using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Management;

namespace ResumableUploads.Hosting.Management;

/// <summary>A store of the application, with the engines that share it.</summary>
/// <param name="Name">The name in metrics.</param>
/// <param name="Engines">The engines, at least one.</param>
internal sealed record ManagedStore(string Name, IReadOnlyList<UploadEngine> Engines)
{
    private UploadInspector Inspector => Engines[0].Inspector;

    /// <inheritdoc cref="IUploadStore.ListAsync"/>
    public IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, CancellationToken cancellationToken) => Inspector.ListAsync(query, cancellationToken);

    /// <inheritdoc cref="IUploadStore.GetAsync"/>
    public ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => Inspector.GetAsync(key, cancellationToken);

    /// <inheritdoc cref="IUploadStore.OpenReadAsync"/>
    public ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken) => Inspector.OpenReadAsync(key, cancellationToken);

    /// <summary>Returns the engine that created an upload, or any engine of the store if the application no longer has that one.</summary>
    public UploadEngine GetEngine(UploadInfo info) =>
        Engines.Count > 1 && Engines.FirstOrDefault(engine => engine.Inspector.BelongsToThisEngine(info)) is { } own ? own : Engines[0];

    /// <summary>Describes an upload, or returns null if it has expired or its record cannot be read.</summary>
    public ManagedUpload? Describe(UploadInfo info) =>
        GetEngine(info).Inspector.TryDescribe(info) is { } description ? new ManagedUpload(Name, info, description) : null;
}
