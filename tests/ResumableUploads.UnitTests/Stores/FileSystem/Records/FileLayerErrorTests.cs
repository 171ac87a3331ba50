using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.IO.Linux;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Records;

/// <summary>Errors of the system that must not be taken for an answer.</summary>
public sealed class FileLayerErrorTests : FileSystemStoreTest
{
    [Fact]
    public void Existence_that_cannot_be_determined_is_an_error()
    {
        Assert.SkipUnless(FileLayer.Default is Linux64FileLayer, "The framework returns false.");
        string loop = Path.Combine(Root, "loop");
        File.CreateSymbolicLink(loop, loop);
        Assert.Throws<IOException>(() => FileLayer.Default.FileExists(Path.Combine(loop, "file")));
        Assert.Throws<IOException>(() => FileLayer.Default.DirectoryExists(Path.Combine(loop, "directory")));
    }

    [Fact]
    public void Existence_of_a_file_is_not_that_of_a_directory()
    {
        string file = Path.Combine(Root, "file");
        File.WriteAllText(file, "");
        FileLayer files = FileLayer.Default;
        Assert.Equal((true, false), (files.FileExists(file), files.DirectoryExists(file)));
        Assert.Equal((false, true), (files.FileExists(Root), files.DirectoryExists(Root)));
        Assert.Equal((false, false), (files.FileExists(file + "x"), files.DirectoryExists(Path.Combine(file, "x"))));
    }
}
