using ResumableUploads.FaultTests.Crashes.Disks;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>The errors that an operator sees when the app cannot start.</summary>
public class ServerStartTests
{
    [Fact]
    public async Task Startup_with_read_only_directory_names_the_directory_and_the_step()
    {
        await using SmallDisk disk = await SmallDisk.MountAsync(1);
        string directory = Path.Combine(disk.Path, "uploads");
        await disk.RemountAsync("ro");
        await using ChildHost child = await ChildHost.RunToEndAsync(directory);
        AssertStopped(child, $"'{directory}'", "creating it failed (Read-only file system)", "ResumableUploads:Directory");
    }

    [Fact]
    public async Task Startup_with_directory_that_became_read_only_fails()
    {
        await using SmallDisk disk = await SmallDisk.MountAsync(16);
        string directory = Path.Combine(disk.Path, "uploads");
        await using (await ChildHost.StartAsync(directory))
        {
        }

        await disk.RemountAsync("ro");
        await using ChildHost child = await ChildHost.RunToEndAsync(directory);
        AssertStopped(child, $"'{directory}'", "creating a directory in it failed (Read-only file system)");
    }

    [Fact]
    public async Task Startup_with_missing_parent_directory_fails_and_does_not_create_it()
    {
        using var place = new UploadDirectory();
        string directory = Path.Combine(place.Root, "not-mounted", "uploads");
        await using ChildHost child = await ChildHost.RunToEndAsync(directory);
        AssertStopped(child, $"'{directory}'", "creating it failed", $"'{Path.GetDirectoryName(directory)}' does not exist");
        Assert.False(Directory.Exists(place.Root));
    }

    [Fact]
    public async Task Startup_with_a_file_in_place_of_the_directory_fails()
    {
        using var place = new UploadDirectory();
        await File.WriteAllTextAsync(place.Root, "");
        await using ChildHost child = await ChildHost.RunToEndAsync(place.Root);
        AssertStopped(child, $"'{place.Root}'", "creating it failed");
        File.Delete(place.Root);
    }

    [Theory]
    [InlineData("MaxUploadSize=-5", "ResumableUploads:MaxUploadSize is -5")]
    [InlineData("Timeouts:IdleTimeout=-00:00:01", "ResumableUploads:Timeouts:IdleTimeout is -00:00:01")]
    [InlineData("UploadPath=upload", "ResumableUploads:UploadPath is 'upload'")]
    [InlineData("MaxUploadSize=ten", "ResumableUploads:MaxUploadSize")]
    public async Task Startup_with_invalid_option_names_the_option(string option, string message)
    {
        using var directory = new UploadDirectory();
        await using ChildHost child = await ChildHost.RunToEndAsync(directory.Root, "ResumableUploads:" + option);
        AssertStopped(child, message);
        Assert.False(Directory.Exists(directory.Root));
    }

    private static void AssertStopped(ChildHost child, params string[] words)
    {
        Assert.NotEqual(0, child.ExitCode);
        Assert.DoesNotContain(child.Output, static line => line.StartsWith("port ", StringComparison.Ordinal));
        Assert.All(words, word => Assert.Contains(word, child.Errors));
    }
}
