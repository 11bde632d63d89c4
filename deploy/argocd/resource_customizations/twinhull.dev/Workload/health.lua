-- A Workload's health, by its conditions. The same questions in the same order as kstatus asks them.
--
-- Stopped and Completed are Healthy: what was asked for is so. Suspended would be no better than Progressing to a
-- sync of several waves, which goes on only when all of a wave is Healthy.
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not seen it yet" }
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end

local function is(kind)
  return conditions[kind] ~= nil and conditions[kind].status == "True"
end

if is("Reconciling") then
  return { status = "Progressing", message = conditions["Reconciling"].message }
end
if is("Stalled") then
  return { status = "Degraded", message = conditions["Stalled"].message }
end
if is("Ready") then
  -- What runs to completion is as good as a Job: a hook, or a wave, is over when it has completed. A machine that boots
  -- a disk of its own may have no template, and never completes.
  local spec = obj.spec or {}
  local boots = status.isolation ~= nil and status.isolation.resolved == "VirtualMachine"
    and spec.virtualMachine ~= nil and spec.virtualMachine.bootDisk ~= nil
  local pod = spec.template ~= nil and spec.template.spec or {}
  local ends = not boots and (pod.restartPolicy == "OnFailure" or pod.restartPolicy == "Never")
  if ends and conditions["Ready"].reason ~= "Completed" and conditions["Ready"].reason ~= "Stopped" then
    return { status = "Progressing", message = "it has not completed yet" }
  end
  return { status = "Healthy", message = conditions["Ready"].message }
end
return { status = "Progressing", message = "it is not ready" }
