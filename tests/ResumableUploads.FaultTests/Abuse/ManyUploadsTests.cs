using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>
/// Starts a server on a directory with many uploads and checks that it responds while its sweeper visits all of them. RESUMABLE_UPLOADS_MANY sets
/// their number.
/// </summary>
[Collection<Alone>]
public class ManyUploadsTests(ITestOutputHelper output)
{
    private const int MiB = 1 << 20;
    private const int UploadsPerOwner = 10;
    private const int OneExpired = 100;

    /// <summary>
    /// The memory allowed above that of the same server with few uploads, whatever their number: the records of a million would take some 1,000 MiB.
    /// </summary>
    private const long MaxMemory = 96 * MiB;

    [Fact]
    public async Task Server_with_many_uploads_responds_during_a_sweep_with_little_memory()
    {
        int count = AbuseSettings.Many;
        await using AbusedServer server = await AbusedServer.StartAsync("ResumableUploads:FileSystem:Durability=ProcessCrash");
        await server.AssertServesOtherOwnerAsync();
        ServerUsage few = server.Usage();
        byte[] data = await DataOfOneAsync(server);
        await server.StopAsync();
        UploadKey[] expired = await FillAsync(server.Uploads.Root, data, count);
        string last = new StorePaths(server.Uploads.Root).GetUploadDirectory(expired[^1]);

        long began = TimeProvider.System.GetTimestamp();
        await server.StartAgainAsync();
        TimeSpan started = TimeProvider.System.GetElapsedTime(began);
        Assert.Equal(0, await server.StatusAsync("unknown", AbusedServer.Cookie(0)));
        TimeSpan responded = TimeProvider.System.GetElapsedTime(began);
        await server.AssertServesOtherOwnerAsync();
        TimeSpan served = TimeProvider.System.GetElapsedTime(began);
        ServerUsage usage = server.Usage();
        long most = usage.Memory;
        await AbusedServer.WaitUntilAsync(
            () =>
            {
                usage = server.Usage();
                most = Math.Max(most, usage.Memory);
                return !Directory.Exists(last);
            },
            "the sweeper has reached the last upload",
            AbuseSettings.SweepTimeout);
        TimeSpan walked = TimeProvider.System.GetElapsedTime(began);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count:N0} uploads of {count / UploadsPerOwner:N0} owners: listening after {started.TotalSeconds:f2} s, first response {(responded - started).TotalSeconds:f2} s later, an upload of another owner {(served - responded).TotalSeconds:f2} s; "
            + $"all walked over after {walked.TotalSeconds:f1} s, with {(usage.Processor - few.Processor).TotalSeconds:f1} s of processor; at most {most / MiB} MiB private ({few.Memory / MiB} with a few)"));

        Assert.All(expired, key => Assert.False(Directory.Exists(new StorePaths(server.Uploads.Root).GetUploadDirectory(key))));
        Assert.InRange(most - few.Memory, long.MinValue, MaxMemory);
        await server.AssertServesOtherOwnerAsync();
    }

    /// <summary>Returns the files that the server writes for a new upload.</summary>
    private static async Task<byte[]> DataOfOneAsync(AbusedServer server)
    {
        const string Name = "pattern.bin";
        Assert.Equal(200, await server.Client.AppendAsync(Name, 0, new byte[5], 10).StatusOfAsync());
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = server.Uploads.Root });
        await foreach (UploadInfo info in store.ListAsync(new UploadQuery(), default))
        {
            if (info is { State: UploadState.Receiving, Offset: 5 })
            {
                return info.Record.Data.ToArray();
            }
        }

        throw new InvalidOperationException("The upload does not exist.");
    }

    /// <summary>Creates the uploads and returns the keys of the expired ones in the order of a sweep.</summary>
    private static async Task<UploadKey[]> FillAsync(string root, byte[] data, int count)
    {
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = root, Durability = Durability.ProcessCrash });
        var expired = new List<UploadKey>();
        await Parallel.ForAsync(0, count, async (i, token) =>
        {
            var key = new UploadKey(Name("owner", i / UploadsPerOwner), Name("upload", i));
            bool isExpired = i % OneExpired == 0;
            var record = new UploadRecord
            {
                Data = data,
                Length = 10,
                SlidingExpiration = TimeSpan.FromDays(7),
                AbsoluteExpiration = isExpired ? DateTimeOffset.UnixEpoch : null,
            };
            Assert.Equal(CreateStatus.Created, (await store.CreateAsync(key, record, token)).Status);
            if (isExpired)
            {
                lock (expired)
                {
                    expired.Add(key);
                }
            }
        });
        return [.. expired.OrderBy(static key => key.Owner, StringComparer.Ordinal).ThenBy(static key => key.Id, StringComparer.Ordinal)];
    }

    private static string Name(string what, int number) =>
        Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(what + number.ToString(CultureInfo.InvariantCulture))).AsSpan(0, 20));
}
