using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Disks;

public class TornRecordTests
{
    private const int Size = 120_000;

    [Theory]
    [InlineData("ProcessCrash", 0.0)]
    [InlineData("ProcessCrash", 0.5)]
    [InlineData("PowerLoss", 0.0)]
    [InlineData("PowerLoss", 0.5)]
    public async Task Torn_record_affects_only_its_own_upload(string durability, double rest)
    {
        using var directory = new UploadDirectory();
        string option = $"ResumableUploads:FileSystem:Durability={durability}";
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        await using (ChildHost child = await ChildHost.StartAsync(directory.Root, option))
        {
            foreach (string name in (string[])["torn", "before", "after"])
            {
                (await child.Client.AppendAsync(name, 0, content[..50_000], Size, ("X-File-Name", name))).Dispose();
            }

            child.Kill();
        }

        using (FileStream record = File.OpenWrite(directory.RecordOf("torn")))
        {
            record.SetLength((long)(record.Length * rest));
        }

        await using ChildHost again = await ChildHost.StartAsync(directory.Root, option);
        Assert.Equal(0, await again.Client.StatusAsync("torn"));
        foreach (string name in (string[])["torn", "before", "after"])
        {
            int offset = name == "torn" ? 0 : 50_000;
            Assert.Equal(offset, await again.Client.StatusAsync(name));
            using HttpResponseMessage last = await again.Client.AppendAsync(name, offset, content[offset..], Size, ("X-File-Name", name));
            Assert.Equal("true", last.Header("X-Upload-Complete"));
            directory.AssertFinished(name, content);
        }

        // The bytes are kept in quarantine for inspection.
        string quarantined = Assert.Single(Directory.GetDirectories(Path.Combine(directory.Root, "quarantine")));
        Assert.Equal(content[..50_000], await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(quarantined, "*.data"))));
        again.Terminate();
        await again.EndAsync();
        Assert.Contains("fail: ", again.Errors);
        Assert.Contains("is damaged", again.Errors);
        Assert.Contains(quarantined, again.Errors);
    }
}
