using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills.Syscalls;

/// <summary>
/// A process is killed at system calls of a concatenation, from the request that creates it to the response of its handler. The next process completes it:
/// with the bytes of the parts, once, and without the parts.
/// </summary>
public sealed class ConcatenationKillTests : IDisposable
{
    private const string Url = "/upload";
    private const string Name = "whole.bin";

    /// <summary>The kernel copies a part at once. With this, the copy takes many reads and writes, as on file systems that cannot copy.</summary>
    private const string NoKernelCopy = "copy_file_range:error=EXDEV";

    private const int AtOnce = 3;
    private static readonly int[] PartSizes = [(3 << 20) + 1234, (2 << 20) + 77];
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(PartSizes.Sum());
    private static readonly string Metadata = $"filename {Convert.ToBase64String(Encoding.ASCII.GetBytes(Name))}";
    private readonly UploadDirectory _parts = new();
    private readonly ITestOutputHelper _output;

    public ConcatenationKillTests(ITestOutputHelper output) => _output = output;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _parts.Dispose();

    [Fact]
    public async Task Kill_during_a_copy_by_reading_and_writing_resumes_inside_a_part() =>
        Assert.InRange(await KillAtSomeCallsAsync(static (_, i) => i % 3 == 0, NoKernelCopy), 3, int.MaxValue);

    [Fact]
    public Task Kill_during_a_copy_by_the_kernel_completes_the_concatenation() =>
        KillAtSomeCallsAsync(static (call, i) => call.Name == "copy_file_range" || i % 6 == 1);

    /// <summary>Kills one process at each of some system calls.</summary>
    /// <param name="isChosen">Chooses the calls by their index.</param>
    /// <param name="injections">Faults in every process that is killed.</param>
    /// <returns>The number of kills that left an offset inside a part.</returns>
    private async Task<int> KillAtSomeCallsAsync(Func<Syscall, int, bool> isChosen, params string[] injections)
    {
        await Needs.StraceAsync();
        string concatenation = await UploadPartsAsync();
        Syscall[] calls;
        using (UploadDirectory place = CopyParts())
        {
            (calls, string[] printed) = await new SyscallTracer(ArgumentsOf(place, concatenation), injections).ListAsync(Path.GetDirectoryName(place.Root)!);
            Assert.Equal([$"completing {Name} 1", "status 201"], printed);
        }

        int inside = 0;
        int missing = 0;

        // Taking a lock changes no file, and a call that fails cannot be killed.
        calls = [.. calls.Where(call => call.Name != "flock" && !injections.Any(injection => injection.StartsWith(call.Name, StringComparison.Ordinal)))];
        Syscall[] chosen = [.. calls.Where(isChosen)];
        await Parallel.ForEachAsync(chosen, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Token }, async (call, _) =>
        {
            using UploadDirectory place = CopyParts();
            try
            {
                await new SyscallTracer(ArgumentsOf(place, concatenation), injections).KillAtAsync(call);
                long? offset = await CompleteAsync(place, concatenation);
                Interlocked.Add(ref inside, offset is > 0 && offset != PartSizes[0] && offset < Content.Length ? 1 : 0);
                Interlocked.Add(ref missing, offset is null ? 1 : 0);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Killed at {call}: {e.Message}", e);
            }
        });
        _output.WriteLine($"{chosen.Length} of {calls.Length} calls; {missing} kills before the creation, {inside} inside a part: {string.Join(", ", calls.CountBy(static call => call.Name))}");
        return inside;
    }

    /// <summary>Uploads the parts, and returns the header that concatenates them.</summary>
    private async Task<string> UploadPartsAsync()
    {
        await using TestApp app = await TestApp.StartAsync(options => options.Directory = _parts.Root);
        var urls = new List<string>();
        int offset = 0;
        foreach (int size in PartSizes)
        {
            urls.Add(await app.Client.CreateAsync(Url, size, ("Upload-Concat", "partial")));
            Assert.Equal(204, await app.Client.AppendChunkAsync(urls[^1], 0, Content[offset..(offset += size)]).StatusOfAsync());
        }

        return $"final;{string.Join(' ', urls.Select(url => new Uri(app.Address, url).AbsolutePath))}";
    }

    private UploadDirectory CopyParts()
    {
        var copy = new UploadDirectory();
        foreach (string file in Directory.GetFiles(Path.Combine(_parts.Root, "uploads"), "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(copy.Root, Path.GetRelativePath(_parts.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }

    private static string[] ArgumentsOf(UploadDirectory place, string concatenation) => ["--Concatenate", place.Root, concatenation, Metadata];

    /// <summary>Starts the next process, sends the request again if the first one has created nothing, and verifies the result.</summary>
    /// <returns>The offset that the killed process has left, or null if it has created nothing.</returns>
    private static async Task<long?> CompleteAsync(UploadDirectory place, string concatenation)
    {
        int runs = place.RunsOf(Name);
        UploadInfo? left = (await ListAsync(place)).SingleOrDefault(static info => info.Length == Content.Length);
        await using TestApp app = await TestApp.StartAsync(options =>
        {
            options.Directory = place.Root;
            options.Timeouts.SweepInterval = TimeSpan.FromSeconds(1);
            options.OnCompleted = async (upload, cancellationToken) =>
            {
                Directory.CreateDirectory(Path.Combine(place.Root, "runs"));
                await File.WriteAllTextAsync(Path.Combine(place.Root, "runs", $"{upload.FileName}.{Guid.NewGuid():n}"), "", cancellationToken);
                await upload.MoveToDirectoryAsync(place.Finished, cancellationToken);
            };
        });
        if (left is null)
        {
            Assert.Equal(201, await app.Client.TusAsync("POST", Url, null, ("Upload-Concat", concatenation), ("Upload-Metadata", Metadata)).StatusOfAsync());
        }

        UploadInfo[] stored = [];
        await Eventually.TrueAsync(
            async () => (stored = await ListAsync(place)) is [{ State: UploadState.Completed }],
            "only the completed concatenation is stored");
        Assert.Equal((Content.Length, Content.Length), (stored[0].Offset, stored[0].Length));
        place.AssertFinished(Name, Content);
        Assert.Single(place.FinishedFiles);
        Assert.InRange(place.RunsOf(Name), 1, runs + 1);
        return left?.Offset;
    }

    private static async Task<UploadInfo[]> ListAsync(UploadDirectory place)
    {
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = place.Root });
        return await store.ListAsync(new UploadQuery(), Token).ToArrayAsync(Token);
    }
}
