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
    public async Task Replacement_syncs_the_file_before_the_rename_and_the_directory_after()
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        string trace = Path.Combine(Path.GetDirectoryName(directory.Root)!, "trace");
        string[] strace = ["strace", "-f", "-qq", "-y", "-o", trace, "-e", "trace=openat,write,pwrite64,pwritev,fdatasync,fsync,rename,renameat,renameat2"];
        await using (ChildHost child = await ChildHost.StartUnderAsync(strace, directory.Root, "ResumableUploads:FileSystem:Durability=PowerLoss"))
        {
            using HttpResponseMessage last = await child.Client.AppendAsync("f", 0, RandomNumberGenerator.GetBytes(Size), Size, ("X-File-Name", "f"));
            Assert.Equal("true", last.Header("X-Upload-Complete"));
        }

        var replacements = new List<string>();
        foreach (IGrouping<string, Match> thread in (await File.ReadAllLinesAsync(trace)).Select(static line => Call().Match(line)).Where(static call => call.Success).GroupBy(static call => call.Groups["thread"].Value))
        {
            Match[] calls = [.. thread];
            for (int i = 0; i < calls.Length; i++)
            {
                if (Temporary().Match(calls[i].Value) is { Success: true } temporary && calls[i].Value.Contains("O_CREAT", StringComparison.Ordinal))
                {
                    replacements.Add(temporary.Groups["name"].Value);
                    AssertSteps(calls.AsSpan(i), temporary.Value);
                }
            }
        }

        Assert.Contains("record.json", replacements);
        Assert.Contains("outcome", replacements);
    }

    private static void AssertSteps(ReadOnlySpan<Match> calls, string temporary)
    {
        Assert.True(calls.Length >= 5, $"After {temporary} there are too few calls.");
        string[] names = ["openat", "pwrite64", "fdatasync", "renameat", "fsync"];
        for (int i = 0; i < names.Length; i++)
        {
            Assert.StartsWith(names[i], calls[i].Groups["name"].Value);
            Assert.True(i == 4 || calls[i].Value.Contains(temporary, StringComparison.Ordinal), calls[i].Value);
        }

        Assert.Equal(Handle().Match(calls[3].Value).Value, Handle().Match(calls[4].Value).Value);
    }

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\(.*")]
    private static partial Regex Call();

    [GeneratedRegex(@"(?<name>record\.json|outcome)(\.[0-9a-f]+)?\.tmp")]
    private static partial Regex Temporary();

    [GeneratedRegex(@"<[^>]*>")]
    private static partial Regex Handle();
}
