using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.IO.Linux;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Faults;

/// <summary>The status of a file cannot be read (a link to itself: ELOOP). That is a failure, and does not mean that the file does not exist.</summary>
public sealed class FailedStatusTests : FileSystemStoreTest
{
    public static TheoryData<string> Layers => ["default", "linux", "unix"];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Status_that_cannot_be_read_is_an_error(string layer)
    {
        RequireLinux();
        FileLayer files = CreateLayer(layer);
        string loop = Path.Combine(Root, "loop");
        File.CreateSymbolicLink(loop, loop);
        foreach (string path in (string[])[Path.Combine(loop, "file"), loop])
        {
            Assert.ThrowsAny<IOException>(() => files.FileExists(path));
            Assert.ThrowsAny<IOException>(() => files.DirectoryExists(path));
            Assert.ThrowsAny<IOException>(() => files.Stat(path));
            Assert.ThrowsAny<IOException>(() => files.ReadPrefix(path, new byte[1]));
        }
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Missing_file_and_file_of_another_kind_do_not_exist(string layer)
    {
        RequireLinux();
        FileLayer files = CreateLayer(layer);
        string file = Path.Combine(Root, "file");
        File.WriteAllText(file, "123");
        Assert.Equal((true, false, 3), (files.FileExists(file), files.DirectoryExists(file), files.Stat(file)?.Length));
        foreach (string path in (string[])[Path.Combine(Root, "missing"), Path.Combine(Root, "missing", "file"), Path.Combine(file, "below")])
        {
            Assert.Equal((false, false, null), (files.FileExists(path), files.DirectoryExists(path), files.Stat(path)));
        }

        Assert.Equal((false, true, null), (files.FileExists(Root), files.DirectoryExists(Root), files.Stat(Root)));
    }

    private static void RequireLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The layers of Linux are tested.");

    private static FileLayer CreateLayer(string name) => name switch
    {
        "linux" => new LinuxFileLayer(),
        "unix" => new UnixFileLayer(),
        _ => FileLayer.Default,
    };
}
