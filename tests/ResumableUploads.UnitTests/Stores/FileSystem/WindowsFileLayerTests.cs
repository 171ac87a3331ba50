using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>The parts of the layer for Windows that need no Windows.</summary>
public class WindowsFileLayerTests
{
    private static readonly string Name = new('a', 300);

    [Fact]
    public void Long_paths_get_the_prefix_that_lifts_the_limit()
    {
        Assert.Equal(@"C:\a", WindowsFileLayer.GetExtendedPath(@"C:\a"));
        Assert.Equal(@"\\?\C:\" + Name, WindowsFileLayer.GetExtendedPath(@"C:\" + Name));
        Assert.Equal(@"\\?\UNC\server\share\" + Name, WindowsFileLayer.GetExtendedPath(@"\\server\share\" + Name));
        Assert.Equal(@"\\?\C:\" + Name, WindowsFileLayer.GetExtendedPath(@"\\?\C:\" + Name));
    }

    [Theory]
    [InlineData(NativeMethods.WindowsNotSameDevice, typeof(IOException), NativeMethods.EXDEV)]
    [InlineData(NativeMethods.WindowsFileNotFound, typeof(FileNotFoundException), null)]
    [InlineData(NativeMethods.WindowsPathNotFound, typeof(DirectoryNotFoundException), null)]
    [InlineData(NativeMethods.WindowsAccessDenied, typeof(UnauthorizedAccessException), null)]
    [InlineData(112, typeof(IOException), unchecked((int)0x80070070))]
    public void Errors_become_exceptions_of_the_framework(int error, Type type, int? result)
    {
        Exception exception = WindowsFileLayer.CreateException(error, "from", "to");
        Assert.Equal(type, exception.GetType());
        Assert.Equal(result ?? exception.HResult, exception.HResult);
    }
}
