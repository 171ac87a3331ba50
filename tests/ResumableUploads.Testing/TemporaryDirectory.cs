namespace ResumableUploads.Testing;

/// <summary>Deletes the temporary directory of a test.</summary>
internal static class TemporaryDirectory
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Deletes a directory, if it exists. A store call that the stop of the app did not wait for may still add a file to it, so the deletion is retried. A
    /// directory that cannot be deleted does not fail the test.
    /// </summary>
    public static async Task DeleteAsync(string directory)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (Directory.Exists(directory))
        {
            try
            {
                Directory.Delete(directory, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (TimeProvider.System.GetElapsedTime(start) > Timeout)
                {
                    return;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }
}
