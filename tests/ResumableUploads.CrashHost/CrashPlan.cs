using System.Diagnostics;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Where in the life of an upload this process is to die: the client names the step in its query (<c>?die=after-outcome</c>). Each upload
/// dies once at a step, and a file remembers it, so that the next process goes on. <c>always-...</c> is not remembered. Several steps have
/// commas between them.
/// </summary>
/// <param name="steps">The steps.</param>
/// <param name="mark">The name of the files that say that it has happened, without the step.</param>
internal sealed class CrashPlan(string[] steps, string mark)
{
    private const string AlwaysPrefix = "always-";
    private static readonly AsyncLocal<CrashPlan?> Current = new();

    /// <summary>Reads from a request where to die; what is called in that request then knows it.</summary>
    public static void SetFromRequest(HttpContext context, string marks)
    {
        string fileId = context.Request.Headers["X-File-Id"].ToString();
        Current.Value = new CrashPlan(context.Request.Query["die"].ToString().Split(','), Path.Combine(marks, fileId));
    }

    /// <summary>Dies, where the request that is worked on says that this is the step.</summary>
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
