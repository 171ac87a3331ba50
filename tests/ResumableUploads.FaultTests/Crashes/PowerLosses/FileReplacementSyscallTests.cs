using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>The recording layer simulates the steps of a file replacement. These are the system calls of the real layer.</summary>
public partial class FileReplacementSyscallTests
{
    private const int Size = 1000;

    [Fact]
    public async Task Replacement_keeps_the_old_record_until_the_new_one_and_the_directory_are_synced()
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        string trace = Path.Combine(Path.GetDirectoryName(directory.Root)!, "trace");
        string[] strace = ["strace", "-f", "-qq", "-y", "-o", trace, "-e", "trace=openat,fdatasync,fsync,renameat2,unlinkat"];
        await using (ChildHost child = await ChildHost.StartUnderAsync(strace, directory.Root, "ResumableUploads:FileSystem:Durability=PowerLoss"))
        {
            using HttpResponseMessage last = await child.Client.AppendAsync("f", 0, RandomNumberGenerator.GetBytes(Size), Size, ("X-File-Name", "f"));
            Assert.Equal("true", last.Header("X-Upload-Complete"));
        }

        string[] calls = [.. (await File.ReadAllLinesAsync(trace)).Where(static line => IsOfReplacement().IsMatch(line))];
        int exchangeCount = 0;
        for (int i = 0; i < calls.Length; i++)
        {
            if (calls[i].Contains("RENAME_EXCHANGE", StringComparison.Ordinal))
            {
                exchangeCount++;
                Assert.Contains("O_CREAT|O_EXCL", calls[..i].Last(static line => line.Contains("record.json.tmp", StringComparison.Ordinal)));
                string[] kept = [.. calls[(i + 1)..].TakeWhile(static line => !IsDeletionOfOldRecord().IsMatch(line))];
                Assert.True(kept.Length < calls.Length - i - 1, "The old record is not deleted.");
                Assert.Contains(kept, static line => line.Contains("fdatasync(", StringComparison.Ordinal));
                Assert.Contains(kept, static line => line.Contains("fsync(", StringComparison.Ordinal) && line.Contains("/uploads/", StringComparison.Ordinal));
            }
        }

        // The target of the move, and the completed state with the response. A body that arrives after its head is received in more steps.
        Assert.InRange(exchangeCount, 2, int.MaxValue);
    }

    [GeneratedRegex(@"unlinkat\(.*record\.json\.tmp")]
    private static partial Regex IsDeletionOfOldRecord();

    /// <summary>Calls that mention the record, and syncs of directories.</summary>
    [GeneratedRegex(@"record\.json|fsync\(")]
    private static partial Regex IsOfReplacement();
}
