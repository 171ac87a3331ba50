using ResumableUploads.Benchmarks.Cases;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>Configures the package as an app does, with higher limits for the cases.</summary>
internal static class ResumableUploadsServer
{
    private const long MemoryStoreSize = 2L << 30;
    private const long MaxUploadSize = 1L << 40;

    public static void Configure(WebApplication app, ServeArguments arguments) => app.UseResumableUploads(options =>
    {
        options.Directory = Path.Combine(arguments.Directory, "store");
        options.FileSystem.Durability = arguments.Durability;
        options.Limits.MaxAppendsPerOwner = 10_000;
        options.Limits.MaxUploadsPerOwner = 100_000;
        options.MaxUploadSize = MaxUploadSize;
        if (arguments.InMemory)
        {
            options.UseMemoryStore(MemoryStoreSize);
            if (arguments.MemoryUploads.Count > 0)
            {
                options.Store = PrefilledStore.CreateInMemory(arguments.MemoryUploads, MemoryStoreSize);
            }
        }

        string moved = Path.Combine(arguments.Directory, "moved");
        options.OnCompleted = arguments.Handler switch
        {
            CompletionHandler.Return => static (_, _) => Task.CompletedTask,
            CompletionHandler.Move => (upload, cancellationToken) => upload.MoveToFileAsync(Path.Combine(moved, upload.Key.Id), overwrite: false, cancellationToken),
            _ => null,
        };
    });
}
