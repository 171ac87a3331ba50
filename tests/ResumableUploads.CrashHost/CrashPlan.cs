using System.Diagnostics;

namespace ResumableUploads.CrashHost;

/// <summary>
/// The steps of an upload at which this process kills itself. The client names them in the query (<c>?die=after-outcome</c>, separated by commas).
/// Each step kills an upload only once, and a file records that, so that the next process continues. Steps that start with <c>always-</c> are not
/// recorded.
/// </summary>
/// <param name="steps">The steps.</param>
/// <param name="mark">The path prefix of the files that record which steps have killed the process.</param>
internal sealed class CrashPlan(string[] steps, string mark)
{
    private const string AlwaysPrefix = "always-";
    private static readonly AsyncLocal<CrashPlan?> Current = new();

    /// <summary>Reads the steps from the request and makes them available to the code that runs in it.</summary>
    public static void SetFromRequest(HttpContext context, string marks)
    {
        string fileId = context.Request.Headers["X-File-Id"].ToString();
        Current.Value = new CrashPlan(context.Request.Query["die"].ToString().Split(','), Path.Combine(marks, fileId));
    }

    /// <summary>Kills the process if the current request names this step.</summary>
    public static void CrashIfRequested(string step) => Current.Value?.CrashAt(step);

    private void CrashAt(string now)
    {
        if (steps.Contains(AlwaysPrefix + now) || (steps.Contains(now) && TryMarkFirst($"{mark}.{now}")))
        {
            Process.GetCurrentProcess().Kill();
        }
    }

    private static bool TryMarkFirst(string mark)
    {
        if (File.Exists(mark))
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(mark)!);
        File.WriteAllText(mark, "");
        return true;
    }
}
