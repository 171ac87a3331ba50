using ResumableUploads.Testing.S3;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Nodes;

/// <summary>The storage that two nodes share. Finished files are always in a directory.</summary>
internal abstract class NodeStorage : IAsyncDisposable
{
    private static readonly Dictionary<string, Func<Task<NodeStorage>>> Kinds = new()
    {
        ["directory"] = static () => Task.FromResult<NodeStorage>(new DirectoryStorage()),
        ["azure"] = AzureStorage.StartAsync,
        ["s3"] = S3Storage.StartAsync,
    };

    public static TheoryData<string> Stores => [.. Kinds.Keys];

    public UploadDirectory Directory { get; } = new();

    /// <summary>Gets the options of a node that select the store.</summary>
    public abstract string[] Options { get; }

    public static Task<NodeStorage> StartAsync(string kind) => Kinds[kind]();

    public virtual ValueTask DisposeAsync()
    {
        Directory.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A directory on one machine.</summary>
    private sealed class DirectoryStorage : NodeStorage
    {
        public override string[] Options => [];
    }

    /// <summary>A container of the emulator of Azure Blob Storage.</summary>
    private sealed class AzureStorage(AzuriteProcess azurite) : NodeStorage
    {
        public override string[] Options => [$"AzureBlobs={azurite.ConnectionString}", "Container=uploads"];

        public static async Task<NodeStorage> StartAsync() => new AzureStorage(await AzuriteProcess.StartAsync());

        public override async ValueTask DisposeAsync()
        {
            await azurite.DisposeAsync();
            await base.DisposeAsync();
        }
    }

    /// <summary>A bucket of the endpoint that stands for S3.</summary>
    private sealed class S3Storage(FakeS3Server server) : NodeStorage
    {
        private const string Bucket = "uploads";

        public override string[] Options => [$"S3={server.ServiceUrl}", $"Bucket={Bucket}"];

        public static async Task<NodeStorage> StartAsync()
        {
            var server = new FakeS3Server();
            await server.InitializeAsync();
            await server.CreateBucketAsync(Bucket);
            return new S3Storage(server);
        }

        public override async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
